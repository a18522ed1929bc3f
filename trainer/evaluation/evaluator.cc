#include "trainer/evaluation/evaluator.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/metrics/overlap.h"
#include "trainer/evaluation/answer_spread.h"
#include "trainer/evaluation/baselines.h"
#include "trainer/evaluation/evaluation_set.h"
#include "trainer/evaluation/examples.h"
#include "trainer/evaluation/popularity.h"
#include "trainer/evaluation/ranked_lists.h"
#include "trainer/evaluation/row_map.h"
#include "trainer/evaluation/slices.h"
#include "trainer/evaluation/snapshot_answers.h"

namespace segue {
namespace {

void CompareToExact(const RankingMetrics& ann_metrics,
                    const RankingMetrics& exact_metrics, const RankedLists& ann,
                    const RankedLists& exact, const v1::TrainerConfig& config,
                    v1::SplitReport& report) {
  const int32_t resamples = config.evaluation().bootstrap_samples();
  for (int32_t k : kReportDepths) {
    double overlap = 0;
    for (size_t q = 0; q < ann.size(); ++q) {
      overlap += OverlapAtK(exact[q], ann[q], k);
    }
    const std::string key = absl::StrCat(k);
    (*report.mutable_ann()->mutable_overlap())[key] = overlap / ann.size();
    const Estimate ratio =
        RecallRatio(ann_metrics, exact_metrics, k, resamples, config.seed());
    (*report.mutable_ann_recall_ratio())[key] = ratio.mean;
    v1::Interval& interval = (*report.mutable_ann_recall_ratio_interval())[key];
    interval.set_low(ratio.low);
    interval.set_high(ratio.high);
  }
}

// [items of the snapshot] counts of the data's items.
std::vector<double> OfSnapshot(const std::vector<double>& counts,
                               const RowMap& map) {
  std::vector<double> translated;
  translated.reserve(map.to_data.size());
  for (const int32_t row : map.to_data) {
    translated.push_back(row < 0 ? 0 : counts[row]);
  }
  return translated;
}

}  // namespace

absl::StatusOr<v1::EvaluationReport> EvaluateSnapshot(
    const ServingSnapshot& snapshot, const Dataset& data, const Split& split,
    const v1::TrainerConfig& config, int32_t threads,
    const std::function<void(absl::string_view)>& progress) {
  const v1::EvaluationConfig& wanted = config.evaluation();
  const int32_t resamples = wanted.bootstrap_samples();
  const uint64_t seed = config.seed();
  const EvaluationSet set = MakeEvaluationSet(
      data.log, SampleQueries(split.test, wanted.max_queries(), seed),
      wanted.filter_seen());
  const RowMap map = MapRows(snapshot.items, data.items);
  progress(absl::StrCat("evaluating ", set.size(), " test queries"));
  ASSIGN_OR_RETURN(const SnapshotAnswers answers,
                   AnswerQueries(snapshot, data, map, set, threads));
  RankedLists exact;
  for (const auto& neighbors : answers.exact) {
    exact.push_back(RowsOf(neighbors));
  }
  const RankedLists exact_rows =
      Translate(exact, map.to_data, /*keep_unknown=*/true);
  const RankingMetrics exact_metrics = Measure(set, exact_rows);
  const RankingMetrics ann_metrics =
      Measure(set, Translate(answers.ann, map.to_data, /*keep_unknown=*/true));
  const std::vector<double> counts =
      TrainingCounts(data.log, split, data.items.size());
  const std::vector<double> ranks = PopularityRanks(OfSnapshot(counts, map));

  v1::EvaluationReport report;
  v1::SplitReport& test = *report.mutable_test();
  test.set_queries(static_cast<int32_t>(set.size()));
  test.set_users(static_cast<int32_t>(exact_metrics.Summarize(0, seed).users));
  *test.mutable_exact() = ToReport(exact_metrics, resamples, seed);
  FillSpread(exact, ranks, *test.mutable_exact());
  *test.mutable_ann() = ToReport(ann_metrics, resamples, seed);
  FillSpread(answers.ann, ranks, *test.mutable_ann());
  CompareToExact(ann_metrics, exact_metrics, answers.ann, exact, config, test);
  AddSlices(data.log, split, counts, set, exact_rows, resamples, seed, test);
  MeasureBaselines(data.log, split, counts, set, config, threads, progress,
                   *test.mutable_baselines());
  FindLosses(progress, test);
  AddExamples(snapshot, data, set, map, answers.exact, seed, report);
  return report;
}

}  // namespace segue
