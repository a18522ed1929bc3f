#include "trainer/model/frequency_estimator.h"

#include <algorithm>
#include <cmath>

#include "trainer/base/random.h"

namespace segue {

FrequencyEstimator::FrequencyEstimator(int64_t items, int64_t slots,
                                       double alpha)
    : alpha_(static_cast<float>(alpha)), hashed_(slots > 0 && slots < items) {
  const int64_t count = hashed_ ? slots : items;
  last_seen_.assign(count, 0);
  gaps_.assign(count, 0);
  shares_.assign(count, 0);
}

int64_t FrequencyEstimator::Slot(int32_t item) const {
  if (!hashed_) return item;
  return static_cast<int64_t>(Mix64(item) % last_seen_.size());
}

void FrequencyEstimator::Observe(absl::Span<const int32_t> items) {
  for (int32_t item : items) {
    const int64_t slot = Slot(item);
    ++examples_;
    const float gap = static_cast<float>(examples_ - last_seen_[slot]);
    gaps_[slot] = (1 - alpha_) * gaps_[slot] + alpha_ * gap;
    shares_[slot] = (1 - alpha_) * shares_[slot] + alpha_;
    last_seen_[slot] = examples_;
  }
}

double FrequencyEstimator::Probability(int32_t item) const {
  const int64_t slot = Slot(item);
  if (shares_[slot] == 0) return 0;
  return 1 / std::max(gaps_[slot] / shares_[slot], 1.0f);
}

}  // namespace segue
