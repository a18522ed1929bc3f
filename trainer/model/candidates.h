// The items that a step's targets are compared with, and the corrections for
// how they were drawn.
#ifndef SEGUE_TRAINER_MODEL_CANDIDATES_H_
#define SEGUE_TRAINER_MODEL_CANDIDATES_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "segue/v1/config.pb.h"
#include "trainer/model/frequency_estimator.h"

namespace segue {

// A step has no more: the softmax holds logits of 1,024 queries at a time, 1
// GiB for so many.
inline constexpr int64_t kMostCandidates = 262144;
// Dislikes of a user that a step compares the user's targets with
// (events.negatives EXPLICIT), the newest ones: few enough that users with
// thousands of them do not make up all that a step works on.
inline constexpr int64_t kMostDislikes = 16;

// Each item once, however often it was drawn. Reused from step to step; one
// thread.
//
// A candidate that was drawn n times where m were expected has log(n / m) added
// to its logit as a negative: the sum over candidates is then, on average, that
// over the whole catalogue. Where the targets themselves are drawn (IN_BATCH,
// MIXED) a target has log(1 / m), which is Yi et al. 2019, equation 3; for
// UNIFORM and FULL it has 0, for it is there whatever is drawn.
class Candidates {
 public:
  struct Options {
    v1::LossConfig::Negatives negatives = v1::LossConfig::IN_BATCH;
    int32_t uniform_negatives = 0;  // for UNIFORM and MIXED
    bool logq_correction = true;    // for IN_BATCH and MIXED
    uint64_t seed = 1;
  };
  // `catalogue`: the items that may be drawn, of [0, items).
  Candidates(const Options& options, std::vector<int32_t> catalogue,
             int64_t items);

  // For queries with these targets. Draws by (seed, step).
  void Draw(int64_t step, absl::Span<const int32_t> targets,
            const FrequencyEstimator& frequency);
  // Adds an item, unless it is there, that is nobody's negative but those
  // queries' that say so; after Draw(). No item outside of training, and none
  // beyond kMostCandidates. All candidates count as negatives() from then on.
  void AddForPairs(int32_t item);

  const std::vector<int32_t>& items() const { return items_; }  // [C]
  // Candidates from this on are targets alone, nobody's negatives.
  int64_t negatives() const { return negatives_; }
  // The candidate that an item is, -1 if it is none.
  int32_t Of(int32_t item) const { return place_of_item_[item]; }
  // The target of each query.
  const std::vector<int32_t>& targets() const { return targets_; }
  // [C], as SoftmaxBatch has them; empty for FULL.
  const std::vector<float>& negative_offsets() const {
    return negative_offsets_;
  }
  const std::vector<float>& target_offsets() const { return target_offsets_; }

 private:
  void Add(int32_t item, int32_t times);
  bool TargetsAreDrawn() const {
    return options_.negatives == v1::LossConfig::IN_BATCH ||
           options_.negatives == v1::LossConfig::MIXED;
  }
  void Correct(int64_t queries, const FrequencyEstimator& frequency);

  Options options_;
  std::vector<int32_t> catalogue_;
  std::vector<bool> in_catalogue_;  // [items]
  std::vector<int32_t> items_, targets_;
  int64_t negatives_ = 0;
  std::vector<int32_t> times_;          // [C] drawn
  std::vector<int32_t> place_of_item_;  // [items]
  std::vector<float> negative_offsets_, target_offsets_;
};

}  // namespace segue

#endif  // SEGUE_TRAINER_MODEL_CANDIDATES_H_
