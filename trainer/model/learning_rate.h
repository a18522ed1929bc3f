// The learning rate of every step of a run.
#ifndef SEGUE_TRAINER_MODEL_LEARNING_RATE_H_
#define SEGUE_TRAINER_MODEL_LEARNING_RATE_H_

#include <cstdint>

#include "segue/v1/config.pb.h"

namespace segue {

// Rises in a straight line over the warm-up, then stays, or falls to a share of
// itself. A pure function of the step, so that rows of a table which idle can
// make up for many steps at once. A value.
class LearningRate {
 public:
  // The same for all steps.
  LearningRate(double rate) : rate_(rate) {}  // NOLINT(*-explicit-*)
  // As the configuration says, for a run of `steps`.
  LearningRate(const v1::TrainingConfig& config, int64_t steps);

  // Of the step, counted from 0.
  double Of(int64_t step) const;
  // Over steps [0, step).
  double Sum(int64_t step) const;

 private:
  double rate_;
  int64_t warm_up_ = 0;
  // Steps after the warm-up until the end; 0: the rate does not fall.
  int64_t fall_ = 0;
  bool cosine_ = false;
  double final_share_ = 1;
};

}  // namespace segue

#endif  // SEGUE_TRAINER_MODEL_LEARNING_RATE_H_
