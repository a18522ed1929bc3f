// The loss: softmax over the batch's own targets, corrected for how often each
// is drawn.
#ifndef SEGUE_TRAINER_MODEL_IN_BATCH_SOFTMAX_H_
#define SEGUE_TRAINER_MODEL_IN_BATCH_SOFTMAX_H_

#include <torch/torch.h>

#include <cstdint>

#include "absl/types/span.h"

namespace segue {

struct SoftmaxBatch {
  torch::Tensor query;                // [B, d], unit length
  torch::Tensor item;                 // [B, d], row i is the target of query i
  absl::Span<const int32_t> targets;  // [B] item rows
  absl::Span<const float> log_q;      // [B]; empty: no correction
  absl::Span<const float> weights;    // [B]; empty: all 1
  double temperature = 0.01;
  bool mask_target_duplicates = true;
};

struct SoftmaxGradients {
  torch::Tensor query;  // [B, d]
  torch::Tensor item;   // [B, d]
};

// Yi et al. 2019, equations 3 to 5: logits are query . item / temperature -
// log q(item), the loss is the weighted mean over the batch of the
// cross-entropy with the diagonal as target. Where another query's target is
// the same item it is no negative, and is masked.
//
// Works in two [B, B] buffers that it keeps; gradients come without autograd,
// which would keep four more. One thread calls.
class InBatchSoftmax {
 public:
  // Returns the loss; fills `gradients` with its derivatives.
  double Compute(const SoftmaxBatch& batch, SoftmaxGradients& gradients);

 private:
  torch::Tensor logits_;
  torch::Tensor log_probabilities_;
};

}  // namespace segue

#endif  // SEGUE_TRAINER_MODEL_IN_BATCH_SOFTMAX_H_
