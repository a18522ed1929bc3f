// How often does an item turn up as a candidate? Estimated as the batches
// stream by, for the logQ correction of in-batch negatives.
#ifndef SEGUE_TRAINER_MODEL_FREQUENCY_ESTIMATOR_H_
#define SEGUE_TRAINER_MODEL_FREQUENCY_ESTIMATOR_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace segue {

// Yi et al. 2019, algorithm 2, with three differences:
//  - gaps count examples, not steps, so that an item that comes several times a
//    batch is not taken for one that comes once (in units of a batch's size the
//    two agree for rare items);
//  - the moving average is corrected for its start, as Adam's moments are: the
//    first estimate is the first gap, not alpha times it;
//  - one slot an item by default; fewer slots hash items together.
//
// One thread.
class FrequencyEstimator {
 public:
  FrequencyEstimator(int64_t items, int64_t slots, double alpha);

  // Observes the targets of a batch.
  void Observe(absl::Span<const int32_t> items);
  // The chance that an example draws the item; 0 before it was first seen.
  double Probability(int32_t item) const;

  // The state, for checkpoints; all [slots].
  std::vector<int64_t>& last_seen() { return last_seen_; }
  std::vector<float>& gaps() { return gaps_; }
  std::vector<float>& shares() { return shares_; }
  int64_t examples() const { return examples_; }
  void set_examples(int64_t examples) { examples_ = examples; }

 private:
  int64_t Slot(int32_t item) const;

  float alpha_;
  bool hashed_;
  int64_t examples_ = 0;            // seen so far
  std::vector<int64_t> last_seen_;  // A: example at which it came last
  std::vector<float> gaps_;         // B: moving average of the gap
  std::vector<float> shares_;       // weight that real gaps have in B
};

}  // namespace segue

#endif  // SEGUE_TRAINER_MODEL_FREQUENCY_ESTIMATOR_H_
