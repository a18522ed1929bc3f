#include "trainer/model/age.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace segue {
namespace {

// Enough for a quantile; a log of any size is read with a stride.
constexpr int64_t kMaxSample = 1 << 20;

double Age(uint32_t latest, uint32_t time) {
  return std::log1p(latest > time ? latest - time : 0u);
}

}  // namespace

AgeScale AgeScale::Fit(const EventLog& log, const Split& split,
                       const v1::TrainerConfig& config,
                       const v1::NumericScale* kept) {
  AgeScale scale;
  scale.on_ = config.model().example_age() &&
              config.events().time_unit() == v1::EventsConfig::SECONDS;
  if (!scale.on_) return scale;
  scale.latest_ = split.latest_training_time;
  const int64_t stride = 1 + split.training_events / kMaxSample;
  std::vector<float> sample;
  double sum = 0, squares = 0;
  int64_t count = 0;
  for (int32_t user = 0; user < log.users(); ++user) {
    const int64_t first = log.user_begins[user] + config.window().min_history();
    for (int64_t e = first; e < split.train_ends[user]; ++e) {
      if (!log.IsTarget(e)) continue;
      const double age = Age(scale.latest_, log.times[e]);
      sum += age;
      squares += age * age;
      if (count++ % stride == 0) sample.push_back(static_cast<float>(age));
    }
  }
  if (count == 0) return scale;
  scale.mean_ = sum / count;
  const double variance = squares / count - scale.mean_ * scale.mean_;
  scale.deviation_ = variance > 1e-12 ? std::sqrt(variance) : 1;
  if (kept != nullptr) {
    scale.mean_ = kept->mean();
    scale.deviation_ = kept->standard_deviation();
  }
  const size_t place = static_cast<size_t>(
      config.model().serving_age_quantile() * (sample.size() - 1));
  std::nth_element(sample.begin(), sample.begin() + place, sample.end());
  scale.serving_ =
      static_cast<float>((sample[place] - scale.mean_) / scale.deviation_);
  return scale;
}

std::optional<v1::NumericScale> AgeScale::scale() const {
  if (!on_) return std::nullopt;
  v1::NumericScale scale;
  scale.set_log1p(true);
  scale.set_mean(mean_);
  scale.set_standard_deviation(deviation_);
  return scale;
}

float AgeScale::Of(uint32_t time) const {
  if (!on_) return 0;
  return static_cast<float>((Age(latest_, time) - mean_) / deviation_);
}

}  // namespace segue
