#include "trainer/model/embedding_table.h"

#include <algorithm>
#include <cmath>

#include "trainer/base/random.h"

namespace segue {
namespace {

constexpr int64_t kCachedIdle = 4096;

}  // namespace

EmbeddingTable::EmbeddingTable(int64_t rows, int32_t width,
                               const AdamWOptions& options, uint64_t seed)
    : width_(width),
      options_(options),
      state_(rows * 3 * width, 0.0f),
      last_steps_(rows, 0) {
  Random random(seed);
  const double deviation = std::sqrt(2.0 / (rows + width));
  for (int64_t row = 0; row < rows; ++row) {
    float* weights = &state_[row * 3 * width];
    for (int32_t i = 0; i < width; ++i) {
      weights[i] = static_cast<float>(deviation * random.Normal());
    }
  }
  idle_.reserve(kCachedIdle);
  for (int64_t missed = 0; missed < kCachedIdle; ++missed) {
    idle_.push_back(IdleSteps(missed));
  }
}

EmbeddingTable::Idle EmbeddingTable::IdleSteps(int64_t missed) const {
  if (missed < static_cast<int64_t>(idle_.size())) return idle_[missed];
  const double decay = 1 - options_.learning_rate * options_.weight_decay;
  const double ratio = options_.beta1 / std::sqrt(options_.beta2);
  const double n = static_cast<double>(missed);
  const double decayed = std::pow(decay, n);
  return {
      .decay = static_cast<float>(decayed),
      .beta1 = static_cast<float>(std::pow(options_.beta1, n)),
      .beta2 = static_cast<float>(std::pow(options_.beta2, n)),
      // sum of decay^(n - j) ratio^j for j = 1 .. n
      .drift = static_cast<float>(ratio * (decayed - std::pow(ratio, n)) /
                                  (decay - ratio)),
  };
}

float EmbeddingTable::DriftScale(int64_t from) const {
  const double next = static_cast<double>(from + 1);
  return static_cast<float>(options_.learning_rate *
                            std::sqrt(1 - std::pow(options_.beta2, next)) /
                            (1 - std::pow(options_.beta1, next)));
}

void EmbeddingTable::Touch(int64_t row) {
  const int64_t missed = step_ - last_steps_[row];
  if (missed == 0) return;
  float* w = &state_[row * 3 * width_];
  float* m = w + width_;
  float* v = m + width_;
  const Idle idle = IdleSteps(missed);
  const float drift = DriftScale(last_steps_[row]) * idle.drift;
  for (int32_t i = 0; i < width_; ++i) {
    // v is 0 only where m is: a value that never had a gradient.
    const float along = v[i] > 0 ? m[i] / std::sqrt(v[i]) : 0.0f;
    w[i] = w[i] * idle.decay - drift * along;
    m[i] *= idle.beta1;
    v[i] *= idle.beta2;
  }
  last_steps_[row] = step_;
}

void EmbeddingTable::Read(int64_t row, absl::Span<float> out) const {
  const float* w = &state_[row * 3 * width_];
  const int64_t missed = step_ - last_steps_[row];
  if (missed == 0) {
    std::copy(w, w + width_, out.begin());
    return;
  }
  const float* m = w + width_;
  const float* v = m + width_;
  const Idle idle = IdleSteps(missed);
  const float drift = DriftScale(last_steps_[row]) * idle.drift;
  for (int32_t i = 0; i < width_; ++i) {
    const float along = v[i] > 0 ? m[i] / std::sqrt(v[i]) : 0.0f;
    out[i] = w[i] * idle.decay - drift * along;
  }
}

void EmbeddingTable::Update(int64_t row, const float* gradient) {
  float* w = &state_[row * 3 * width_];
  float* m = w + width_;
  float* v = m + width_;
  const double next = static_cast<double>(step_ + 1);
  const float rate = static_cast<float>(options_.learning_rate /
                                        (1 - std::pow(options_.beta1, next)));
  const float correction =
      static_cast<float>(1 / std::sqrt(1 - std::pow(options_.beta2, next)));
  const float decay =
      static_cast<float>(1 - options_.learning_rate * options_.weight_decay);
  const float beta1 = static_cast<float>(options_.beta1);
  const float beta2 = static_cast<float>(options_.beta2);
  const float epsilon = static_cast<float>(options_.epsilon);
  for (int32_t i = 0; i < width_; ++i) {
    const float g = gradient[i];
    m[i] = beta1 * m[i] + (1 - beta1) * g;
    v[i] = beta2 * v[i] + (1 - beta2) * g * g;
    w[i] =
        w[i] * decay - rate * m[i] / (std::sqrt(v[i]) * correction + epsilon);
  }
  last_steps_[row] = step_ + 1;
}

}  // namespace segue
