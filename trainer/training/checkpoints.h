// The checkpoints of a run: their names, which is the newest, which are kept.
#ifndef SEGUE_TRAINER_TRAINING_CHECKPOINTS_H_
#define SEGUE_TRAINER_TRAINING_CHECKPOINTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace segue {

// Files `<run_dir>/checkpoints/step-<number>.ckpt`, and `best.ckpt`. A value.
class Checkpoints {
 public:
  explicit Checkpoints(const std::string& run_dir)
      : folder_(run_dir + "/checkpoints") {}

  absl::Status CreateFolder() const;
  std::string StepPath(int64_t step) const;
  std::string best_path() const { return folder_ + "/best.ckpt"; }
  // The step files, newest first; none: nothing to resume from.
  std::vector<std::string> StepFiles() const;
  // Removes the step files beyond the newest `keep` (at least 1).
  void Prune(int keep) const;
  // Removes every checkpoint: a new run begins.
  void Clear() const;
  // Removes what a killed process was writing.
  void RemoveUnfinished() const;

 private:
  std::string folder_;
};

}  // namespace segue

#endif  // SEGUE_TRAINER_TRAINING_CHECKPOINTS_H_
