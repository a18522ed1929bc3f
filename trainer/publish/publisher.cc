#include "trainer/publish/publisher.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/bundle/bundle_writer.h"
#include "core/bundle/layout.h"
#include "trainer/evaluation/evaluator.h"
#include "trainer/evaluation/serving_requests.h"
#include "trainer/publish/bundle_files.h"
#include "trainer/publish/exporter.h"
#include "trainer/publish/report_files.h"
#include "trainer/report/json.h"

namespace segue {
namespace {

constexpr int32_t kGoldenRequests = 32;
constexpr int32_t kSampleRequests = 1000;

std::function<void(absl::string_view)> Lines(Progress& progress) {
  return [&progress](absl::string_view line) { progress.Line(line); };
}

// Training queries: what the golden requests ask. Not the test's: nothing is
// chosen by looking at it.
std::vector<EvaluationQuery> DrawTrainingQueries(const WindowSampler& sampler,
                                                 int64_t count) {
  std::vector<EvaluationQuery> queries;
  count = std::min(count, sampler.examples());
  for (int64_t place = 0; place < count; ++place) {
    queries.push_back(sampler.Example(/*epoch=*/-1, place));
  }
  return queries;
}

absl::Status WriteSampleRequests(const Dataset& data, const Split& split,
                                 const v1::TrainerConfig& config) {
  std::string json = "[\n";
  bool first = true;
  for (const EvaluationQuery& query :
       SampleQueries(split.test, kSampleRequests, config.seed())) {
    ASSIGN_OR_RETURN(
        const std::string request,
        MessageToJson(ToRequest(data, query, config.window().history_length()),
                      /*spaced=*/false));
    absl::StrAppend(&json, first ? "" : ",\n", request);
    first = false;
  }
  return WriteFileAtomically(config.run_dir() + "/sample_requests.json",
                             json + "\n]\n");
}

template <typename Map>
double At(const Map& map, int32_t k) {
  const auto found = map.find(absl::StrCat(k));
  return found == map.end() ? 0 : found->second;
}

void ShowFigures(const v1::SplitReport& test, Progress& progress) {
  for (int32_t k : {10, 100}) {
    progress.Line(absl::StrFormat(
        "test @%d: recall %.4f, NDCG %.4f; through the index %.4f, overlap "
        "%.3f; most popular %.4f",
        k, At(test.exact().recall(), k), At(test.exact().ndcg(), k),
        At(test.ann().recall(), k), At(test.ann().overlap(), k),
        At(test.baselines().popularity().recall(), k)));
  }
}

}  // namespace

absl::Status CheckPublishGate(const v1::PublishConfig& config,
                              const v1::SplitReport& test) {
  const int32_t k = config.gate_k();
  const double recall = At(test.exact().recall(), k);
  const double popular = At(test.baselines().popularity().recall(), k);
  const double overlap = At(test.ann().overlap(), k);
  if (recall < config.min_recall()) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "not published: test recall@%d is %.4f, publish.min_recall %.4f", k,
        recall, config.min_recall()));
  }
  if (config.beat_popularity() && recall <= popular) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "not published: test recall@%d is %.4f, that of the most popular items "
        "%.4f. Train longer or look at the data; publish.beat_popularity=false "
        "publishes anyway",
        k, recall, popular));
  }
  if (overlap < config.min_overlap()) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "not published: the index finds %.3f of the exact top %d, "
        "publish.min_overlap is %.3f",
        overlap, k, config.min_overlap()));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> PublishModel(
    TwoTowerModel& model, const Dataset& data, const Split& split,
    const WindowSampler& sampler, const v1::TrainerConfig& config,
    int32_t threads, v1::Report& report, Progress& progress) {
  ASSIGN_OR_RETURN(auto writer, CreateWriter(config, progress));
  v1::BatchRetrieveRequest golden;
  for (const EvaluationQuery& query :
       DrawTrainingQueries(sampler, kGoldenRequests)) {
    *golden.add_requests() =
        ToRequest(data, query, config.window().history_length());
  }
  progress.Line("exporting towers and tables");
  ASSIGN_OR_RETURN(v1::Content content,
                   ExportModel(model, data, config, golden, *writer));
  const int32_t d = content.dimension();
  progress.Line(absl::StrCat("embedding ", data.items.size(), " items"));
  std::vector<float> vectors(int64_t{data.items.size()} * d);
  RETURN_IF_ERROR(model.EmbedItems(absl::MakeSpan(vectors)));
  // Queries that the towers did not learn, where there are any.
  const std::vector<EvaluationQuery> tuning =
      split.validation.empty()
          ? DrawTrainingQueries(sampler, config.index().tune_queries())
          : SampleQueries(split.validation, config.index().tune_queries(),
                          config.seed());
  std::vector<float> queries(tuning.size() * d);
  RETURN_IF_ERROR(model.EmbedQueries(tuning, absl::MakeSpan(queries)));
  ASSIGN_OR_RETURN(const BuiltIndex built,
                   ExportIndex(data.items, vectors, queries, config, threads,
                               Lines(progress), *writer, content));
  FillIndexReport(built, *report.mutable_index());

  // What is measured is what lies on disk.
  ASSIGN_OR_RETURN(SealedBundle sealed, SealWithAnswers(content, *writer));
  ASSIGN_OR_RETURN(*report.mutable_evaluation(),
                   EvaluateSnapshot(*sealed.snapshot, data, split, config,
                                    threads, Lines(progress)));
  sealed.snapshot.reset();
  const std::string version = sealed.manifest.version();
  report.set_bundle_version(version);
  report.mutable_training()->set_temperature(model.temperature());
  DescribeRun(config, report);
  ShowFigures(report.evaluation().test(), progress);
  RETURN_IF_ERROR(WriteReport(report, config.run_dir()));
  RETURN_IF_ERROR(WriteSampleRequests(data, split, config));
  RETURN_IF_ERROR(
      CheckPublishGate(config.publish(), report.evaluation().test()));

  ASSIGN_OR_RETURN(const std::string json, ReportToJson(report));
  RETURN_IF_ERROR(WriteFileAtomically(
      writer->Add(layout::kReport, FileRole::kMeasured), json));
  RETURN_IF_ERROR(writer->Seal(std::move(content)).status());
  RETURN_IF_ERROR(writer->Publish(config.publish().keep_versions()));
  if (writer->published_version() != version) {
    // The same content was live already, under the name that it keeps.
    report.set_bundle_version(writer->published_version());
    RETURN_IF_ERROR(WriteReport(report, config.run_dir()));
  }
  return writer->published_version();
}

}  // namespace segue
