// AdamW (Loshchilov and Hutter 2019, algorithm 2), its numbers.
#ifndef SEGUE_TRAINER_MODEL_ADAMW_H_
#define SEGUE_TRAINER_MODEL_ADAMW_H_

#include "trainer/model/learning_rate.h"

namespace segue {

// Defaults are PyTorch's; TrainingConfig documents each.
struct AdamWOptions {
  LearningRate learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 1e-2;
};

}  // namespace segue

#endif  // SEGUE_TRAINER_MODEL_ADAMW_H_
