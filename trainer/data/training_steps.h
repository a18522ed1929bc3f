// What each step of a run trains on: windows, or sequences for an encoder that
// learns from all of their events at once.
#ifndef SEGUE_TRAINER_DATA_TRAINING_STEPS_H_
#define SEGUE_TRAINER_DATA_TRAINING_STEPS_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "segue/v1/config.pb.h"
#include "trainer/data/dataset.h"
#include "trainer/data/sequence_sampler.h"
#include "trainer/data/split.h"
#include "trainer/data/window_sampler.h"

namespace segue {

using TrainingExamples =
    std::variant<std::vector<EvaluationQuery>, std::vector<TrainingSequence>>;

// A pure function of (seed, epoch, step), so that a resumed run sees what the
// stopped one would have seen. Borrows log and split. One thread.
class TrainingSteps {
 public:
  // InvalidArgument if no user yields an example.
  static absl::StatusOr<TrainingSteps> Create(const EventLog& log,
                                              const Split& split,
                                              const v1::TrainerConfig& config);

  // Of an epoch, at least 1. Windows that fill no whole batch wait for the
  // next epoch.
  int64_t Steps(int64_t epoch);
  // REQUIRES: 0 <= step < Steps(epoch).
  TrainingExamples Examples(int64_t epoch, int64_t step);
  // How many targets they are.
  int64_t CountTargets(const TrainingExamples& examples) const;
  // Targets of an epoch.
  int64_t examples_per_epoch() const;

  const WindowSampler& windows() const { return windows_; }

 private:
  explicit TrainingSteps(WindowSampler windows)
      : windows_(std::move(windows)) {}

  WindowSampler windows_;
  std::optional<SequenceSampler> sequences_;
  int64_t batch_ = 1;  // windows a step
};

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_TRAINING_STEPS_H_
