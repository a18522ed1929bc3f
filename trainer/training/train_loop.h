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
  // Of the catalogue: a loss is far too high by what guessing evenly gives.
  int64_t items = 1;
  // Set from a signal handler: the loop writes a checkpoint and returns
  // Cancelled.
  const std::atomic<bool>* stop = nullptr;
  // Recall on validation queries, called after each epoch where early stopping
  // is on.
  std::function<absl::StatusOr<double>(TwoTowerModel&)> validate;
};

// Trains until the config's epochs, steps or early stopping say so, and leaves
// the published weights (the best epoch's, or the last) in the model. Each
// epoch ends with a checkpoint, written atomically; a long one has some within
// (checkpoint_minutes). An epoch that max_steps cuts short is not compared with
// the others.
//
// Training stops, and no further checkpoint is written, where
// - a step's loss or gradient is not finite;
// - the loss diverges: before a checkpoint, the mean over the epoch so far is
//   more than 1 nat above 1.5 times the lowest mean of the epochs before; in
//   the first epoch, 1.5 times the higher of the first step's loss and
//   ln(items), which is what guessing evenly gives;
// - a checkpoint cannot be written.
// The checkpoints before stay, and the message names the newest.
//
// Errors: Cancelled (stopped by a signal; a checkpoint is there),
// FailedPrecondition (the checkpoint is of another configuration or data, or
// the loss is not finite or diverges: says at which step and what to try),
// DataLoss (no checkpoint to resume from is whole, or the best epoch's is not),
// what writing a checkpoint gives.
absl::StatusOr<v1::TrainingState> Train(TwoTowerModel& model,
                                        TrainingSteps& steps,
                                        const v1::TrainerConfig& config,
                                        const TrainLoopOptions& options,
                                        Progress& progress);

}  // namespace segue

#endif  // SEGUE_TRAINER_TRAINING_TRAIN_LOOP_H_
