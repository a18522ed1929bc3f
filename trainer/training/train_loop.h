// The epochs: draws batches, steps the model, keeps checkpoints, stops early.
#ifndef SEGUE_TRAINER_TRAINING_TRAIN_LOOP_H_
#define SEGUE_TRAINER_TRAINING_TRAIN_LOOP_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "segue/v1/config.pb.h"
#include "segue/v1/training_state.pb.h"
#include "trainer/data/training_steps.h"
#include "trainer/model/two_tower_model.h"
#include "trainer/training/progress.h"

namespace segue {

struct TrainLoopOptions {
  // Goes on from the newest checkpoint of the run, if there is one; otherwise
  // older checkpoints are removed.
  bool resume = false;
  // SHA-256 of what a checkpoint must agree with.
  std::string fingerprint;
  // Set from a signal handler: the loop writes a checkpoint and returns
  // Cancelled.
  const std::atomic<bool>* stop = nullptr;
  // Recall on validation queries, called after each epoch where early stopping
  // is on.
  std::function<absl::StatusOr<double>(TwoTowerModel&)> validate;
};

// Trains until the config's epochs, steps or early stopping say so, and leaves
// the published weights (the best epoch's, or the last) in the model. Each
// epoch ends with a checkpoint, written atomically. An epoch that max_steps
// cuts short is not compared with the others.
//
// Errors: Cancelled (stopped by a signal; a checkpoint is there),
// FailedPrecondition (the checkpoint is of another configuration or data, or
// the loss is not finite: says at which step and what to try), DataLoss (no
// checkpoint to resume from is whole).
absl::StatusOr<v1::TrainingState> Train(TwoTowerModel& model,
                                        TrainingSteps& steps,
                                        const v1::TrainerConfig& config,
                                        const TrainLoopOptions& options,
                                        Progress& progress);

}  // namespace segue

#endif  // SEGUE_TRAINER_TRAINING_TRAIN_LOOP_H_
