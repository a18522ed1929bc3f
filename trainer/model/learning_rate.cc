#include "trainer/model/learning_rate.h"

#include <algorithm>
#include <cmath>

namespace segue {

LearningRate::LearningRate(const v1::TrainingConfig& config, int64_t steps)
    : rate_(config.learning_rate()),
      warm_up_(config.warmup_steps()),
      cosine_(config.schedule() == v1::TrainingConfig::COSINE) {
  if (config.schedule() == v1::TrainingConfig::CONSTANT) return;
  fall_ = std::max<int64_t>(steps - warm_up_, 1);
  final_share_ = config.final_rate_share();
}

double LearningRate::Of(int64_t step) const {
  if (step < warm_up_) {
    return rate_ * static_cast<double>(step + 1) /
           static_cast<double>(warm_up_);
  }
  if (fall_ == 0) return rate_;
  const double done = std::min(
      1.0, static_cast<double>(step - warm_up_) / static_cast<double>(fall_));
  const double left = cosine_ ? (1 + std::cos(M_PI * done)) / 2 : 1 - done;
  return rate_ * (final_share_ + (1 - final_share_) * left);
}

double LearningRate::Sum(int64_t step) const {
  const auto rising = static_cast<double>(std::min(step, warm_up_));
  double sum = warm_up_ == 0 ? 0
                             : rising * (rising + 1) /
                                   (2 * static_cast<double>(warm_up_));
  const int64_t after = std::max<int64_t>(step - warm_up_, 0);
  if (fall_ == 0) return rate_ * (sum + static_cast<double>(after));
  // The sum of 1 - k / fall, or of (1 + cos(k pi / fall)) / 2, over k < n.
  const auto n = static_cast<double>(std::min(after, fall_));
  const auto fall = static_cast<double>(fall_);
  double left = n - n * (n - 1) / (2 * fall);
  if (cosine_) {
    const double half = M_PI / (2 * fall);
    left =
        (n + std::sin(n * half) * std::cos((n - 1) * half) / std::sin(half)) /
        2;
  }
  sum += final_share_ * static_cast<double>(after) + (1 - final_share_) * left;
  return rate_ * sum;
}

}  // namespace segue
