#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "trainer/config/automatic_options.h"
#include "trainer/config/config_validation.h"
#include "trainer/config/empty_paths.h"
#include "trainer/config/ignored_options.h"
#include "trainer/config/run_fingerprint.h"
#include "trainer/data/dataset_reader.h"
#include "trainer/evaluation/validation_recall.h"
#include "trainer/model/warm_start_bundle.h"
#include "trainer/publish/bundle_files.h"
#include "trainer/publish/publisher.h"
#include "trainer/training/train_loop.h"
#include "trainer/verbs/threads.h"
#include "trainer/verbs/verbs.h"

namespace segue {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

int32_t CountTrained(const Split& split) {
  return static_cast<int32_t>(std::count(split.item_in_training.begin(),
                                         split.item_in_training.end(), true));
}

void FillDatasetReport(const Dataset& data, const Split& split, double seconds,
                       v1::DatasetReport& report) {
  const ReadCounts& counts = data.counts;
  report.set_users(data.users.size());
  report.set_items(data.items.size());
  report.set_events(static_cast<double>(data.log.size()));
  report.set_training_events(static_cast<double>(split.training_events));
  report.set_items_in_training(CountTrained(split));
  report.set_event_rows(static_cast<double>(counts.event_rows));
  report.set_filtered_rows(static_cast<double>(counts.filtered_rows));
  report.set_null_rows(static_cast<double>(counts.null_rows));
  report.set_duplicate_events(static_cast<double>(counts.duplicate_events));
  report.set_dropped_users(static_cast<double>(counts.dropped_users));
  report.set_dropped_events(static_cast<double>(counts.dropped_events));
  report.set_item_rows(static_cast<double>(counts.item_rows));
  report.set_duplicate_item_rows(
      static_cast<double>(counts.duplicate_item_rows));
  report.set_items_without_row(static_cast<double>(counts.items_without_row));
  report.set_read_seconds(seconds);
}

// The bundle that the configuration names to begin from; empty: none.
absl::StatusOr<std::string> EarlierFolder(const v1::TrainerConfig& config) {
  const std::string& named = config.training().warm_start_bundle();
  if (named.empty()) return "";
  return ResolveBundle(named);
}

absl::StatusOr<std::optional<WarmStartBundle>> OpenEarlier(
    const std::string& folder, const OpenOptions& source) {
  if (folder.empty()) return std::nullopt;
  ASSIGN_OR_RETURN(WarmStartBundle earlier,
                   OpenWarmStartBundle(folder, source));
  return std::make_optional(std::move(earlier));
}

int32_t CountKnown(const Vocabulary& ids, const Vocabulary& earlier) {
  int32_t known = 0;
  for (int32_t row = 0; row < ids.size(); ++row) {
    if (earlier.Find(ids.id(row))) ++known;
  }
  return known;
}

void FillWarmStartReport(const WarmStartBundle& earlier, const Dataset& data,
                         const Split& split, v1::WarmStartReport& report) {
  report.set_bundle_version(earlier.bundle.version());
  report.set_content_hash(earlier.bundle.manifest().content_hash());
  report.set_known_items(CountKnown(data.items, earlier.items.ids()));
  report.set_new_items(data.items.size() - report.known_items());
  report.set_known_users(CountKnown(data.users, earlier.users.ids()));
  report.set_new_users(data.users.size() - report.known_users());
  report.set_trained_past_cut(earlier.schema.latest_training_time() >
                              split.latest_training_time);
}

void ShowWarmStart(const v1::WarmStartReport& report, Progress& progress) {
  progress.Line(absl::StrFormat(
      "beginning from %s: it knows %d items and %d users, %d and %d are new",
      report.bundle_version(), report.known_items(), report.known_users(),
      report.new_items(), report.new_users()));
  if (report.trained_past_cut()) {
    progress.Line(
        "warning: it was trained on events later than this training's end, so "
        "it may have seen what validation and test ask for: the figures "
        "flatter");
  }
}

// The same large buffers come and go at every step: from now on they stay.
void KeepLargeBuffers() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

void FillTrainingReport(const v1::TrainingState& state,
                        const TrainingSteps& source, int64_t steps,
                        v1::TrainingReport& report) {
  std::vector<double> rates;  // of the epochs
  double total = 0;
  for (int epoch = 0; epoch < state.epoch(); ++epoch) {
    const double seconds = state.epoch_seconds(epoch);
    rates.push_back(static_cast<double>(state.epoch_examples(epoch)) /
                    std::max(seconds, 1e-9));
    total += seconds;
  }
  if (!rates.empty()) {
    std::sort(rates.begin(), rates.end());
    report.set_examples_per_second(rates[rates.size() / 2]);
  }
  report.set_epochs(state.epoch());
  report.set_seconds(total);
  *report.mutable_loss() = state.loss();
  *report.mutable_epoch_seconds() = state.epoch_seconds();
  *report.mutable_validation_recall() = state.validation_recall();
  report.set_best_epoch(state.best_epoch());
  report.set_examples_per_epoch(
      static_cast<double>(source.examples_per_epoch()));
  report.set_steps(static_cast<double>(steps));
}

}  // namespace

absl::Status RunTrain(v1::TrainerConfig config,
                      const std::string& trusted_keys_file, bool resume,
                      const std::atomic<bool>& stop) {
  const std::vector<std::string> left_out = LeaveOutEmptyPaths(config);
  RETURN_IF_ERROR(ValidateTrainerConfig(config));
  // What is wrong with keys, or with who signed the bundle, is better found now
  // than after the data was read, or the model trained.
  ASSIGN_OR_RETURN(const OpenOptions source,
                   SourceOptions(config, trusted_keys_file));
  ASSIGN_OR_RETURN(const std::string earlier_folder, EarlierFolder(config));
  if (!earlier_folder.empty()) {
    RETURN_IF_ERROR(
        OpenBundle(earlier_folder, VerifyScope::kManifest, source).status());
  }
  RETURN_IF_ERROR(CreateFolders(config.run_dir()));
  Progress progress(config.run_dir() + "/train.log");
  for (const std::string& line : left_out) progress.Line(line);
  for (const std::string& line : IgnoredOptions(config)) progress.Line(line);
  const int32_t threads = UseThreads(config);

  const Clock::time_point start = Clock::now();
  ASSIGN_OR_RETURN(Dataset data,
                   ReadDataset(config, [&](absl::string_view line) {
                     progress.Line(line);
                   }));
  ASSIGN_OR_RETURN(const Split split,
                   SplitEvents(data.log, data.items.size(), config));
  for (const std::string& line : FillAutomaticOptions(
           CountTrained(split), split.training_events, config)) {
    progress.Line(line);
  }
  v1::Report report;
  FillDatasetReport(data, split, SecondsSince(start),
                    *report.mutable_dataset());
  ASSIGN_OR_RETURN(TrainingSteps steps,
                   TrainingSteps::Create(data.log, split, config));
  progress.Line(absl::StrFormat(
      "%d users, %d items, %d events; %d training examples an epoch",
      data.users.size(), data.items.size(), data.log.size(),
      steps.examples_per_epoch()));
  ASSIGN_OR_RETURN(const auto earlier, OpenEarlier(earlier_folder, source));
  if (earlier) KeepVectorScales(earlier->schema, data);
  KeepLargeBuffers();
  ASSIGN_OR_RETURN(
      const auto model,
      TwoTowerModel::Create(data, split, config,
                            steps.Steps(0) * config.training().epochs(),
                            earlier ? &earlier->schema : nullptr));
  if (earlier) {
    RETURN_IF_ERROR(model->WarmStart(*earlier));
    FillWarmStartReport(*earlier, data, split,
                        *report.mutable_training()->mutable_warm_start());
    ShowWarmStart(report.training().warm_start(), progress);
  }
  const std::vector<EvaluationQuery> validation = SampleQueries(
      split.validation, config.evaluation().max_queries(), config.seed());
  if (config.training().early_stopping_epochs() > 0 && validation.empty()) {
    return absl::FailedPreconditionError(
        "no user yields a validation query, which training.early_stopping_"
        "epochs needs: set it to 0, or make split.validation_days longer");
  }
  TrainLoopOptions options{
      .resume = resume,
      .fingerprint = RunFingerprint(
          config, data, report.training().warm_start().content_hash()),
      .items = data.items.size(),
      .stop = &stop};
  options.validate = [&](TwoTowerModel& trained) {
    return ValidationRecall(trained, data, validation,
                            config.training().validation_k(),
                            config.evaluation().filter_seen(), threads);
  };
  ASSIGN_OR_RETURN(const v1::TrainingState state,
                   Train(*model, steps, config, options, progress));
  FillTrainingReport(state, steps, model->step(), *report.mutable_training());
  ASSIGN_OR_RETURN(const std::string version,
                   PublishModel(*model, data, split, steps.windows(), config,
                                threads, report, progress));
  progress.Line(absl::StrFormat("published %s/%s after %.0f s",
                                config.bundle_root(), version,
                                SecondsSince(start)));
  return absl::OkStatus();
}

}  // namespace segue
