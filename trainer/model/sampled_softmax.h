// The loss: softmax of each query over candidate items, corrected for how the
// candidates were drawn.
#ifndef SEGUE_TRAINER_MODEL_SAMPLED_SOFTMAX_H_
#define SEGUE_TRAINER_MODEL_SAMPLED_SOFTMAX_H_

#include <torch/types.h>

#include <cstdint>
#include <limits>

#include "absl/types/span.h"

namespace segue {

// A query's own offset for a candidate, in place of the candidate's own.
struct PairOffset {
  int32_t query;
  int32_t candidate;
  float offset;  // -infinity: it is no negative of this query

  static constexpr float kMasked = -std::numeric_limits<float>::infinity();
};

// N queries and C different items.
struct SoftmaxBatch {
  torch::Tensor query;                // [N, d], unit length
  torch::Tensor candidate;            // [C, d], unit length
  absl::Span<const int32_t> targets;  // [N] candidates
  // [C] added to the logit of a candidate where it is a negative (-infinity: it
  // is none), and where it is the target; empty: 0. An item that was drawn n
  // times and is expected to be drawn m times has log(n / m).
  absl::Span<const float> negative_offsets;
  absl::Span<const float> target_offsets;
  absl::Span<const float> weights;  // [N]; empty: all 1
  // By query; of several for one pair the last counts. A query's target is its
  // target all the same.
  absl::Span<const PairOffset> pairs;
  // Candidates from this on are targets only, whatever their offsets: nobody's
  // negatives, nor in `pairs` but as what is masked. They cost next to nothing.
  // -1: there are none.
  int64_t negatives = -1;
  double temperature = 0.01;
};

struct SoftmaxGradients {
  torch::Tensor query;      // [N, d]
  torch::Tensor candidate;  // [C, d]
  double log_temperature = 0;
};

// Logits are query . candidate / temperature + offset; the loss is the weighted
// mean over the queries of the cross-entropy with the target (Yi et al. 2019,
// equations 3 to 5, where all candidates are the batch's own targets).
//
// Works through the queries in blocks, in a buffer that it keeps; gradients
// come without autograd. One thread calls.
class SampledSoftmax {
 public:
  // Returns the loss; fills `gradients` with its derivatives.
  double Compute(const SoftmaxBatch& batch, SoftmaxGradients& gradients);

 private:
  torch::Tensor buffer_;
};

}  // namespace segue

#endif  // SEGUE_TRAINER_MODEL_SAMPLED_SOFTMAX_H_
