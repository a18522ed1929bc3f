#include "trainer/model/embedding_table.h"

#include <algorithm>
#include <cmath>

#include "trainer/base/random.h"

namespace segue {
namespace {

constexpr int64_t kCachedIdle = 4096;
// Of the weights at the start. Small beside what a few dozen steps of AdamW add
// up to, so that rows soon say what was learnt rather than what was drawn:
// measured on a sparse set, rows that begin at length one learn at half the
// pace.
constexpr double kDeviation = 0.02;

}  // namespace

EmbeddingTable::EmbeddingTable(int64_t rows, int32_t width,
                               const AdamWOptions& options, uint64_t seed)
    : width_(width),
      options_(options),
      state_(rows * 3 * width, 0.0f),
      last_steps_(rows, 0) {
  Random random(seed);
  for (int64_t row = 0; row < rows; ++row) {
    float* weights = &state_[row * 3 * width];
    for (int32_t i = 0; i < width; ++i) {
      weights[i] = static_cast<float>(kDeviation * random.Normal());
    }
  }
  set_step(0);
  idle_.reserve(kCachedIdle);
  for (int64_t missed = 0; missed < kCachedIdle; ++missed) {
    idle_.push_back(IdlePowers(missed));
  }
}

EmbeddingTable::Idle EmbeddingTable::IdlePowers(int64_t missed) const {
  const auto n = static_cast<double>(missed);
  const double ratio = options_.beta1 / std::sqrt(options_.beta2);
  return {.beta1 = std::pow(options_.beta1, n),
          .beta2 = std::pow(options_.beta2, n),
          .ratio = std::pow(ratio, n)};
}

EmbeddingTable::Idle EmbeddingTable::IdleSince(int64_t from) const {
  const int64_t missed = step_ - from;
  Idle idle = missed < static_cast<int64_t>(idle_.size()) ? idle_[missed]
                                                          : IdlePowers(missed);
  const LearningRate& rate = options_.learning_rate;
  double decay = 0;  // of a step, the mean one
  if (options_.weight_decay > 0) {
    decay = options_.weight_decay * (rate.Sum(step_) - rate.Sum(from)) /
            static_cast<double>(missed);
    idle.decay = std::exp(static_cast<double>(missed) * std::log1p(-decay));
  }
  // sum of (1 - decay)^(n - j) ratio^j for j = 1 .. n, at the learning rate and
  // with the bias corrections of the first of them.
  const double ratio = options_.beta1 / std::sqrt(options_.beta2);
  const auto next = static_cast<double>(from + 1);
  idle.drift = rate.Of(from) * std::sqrt(1 - std::pow(options_.beta2, next)) /
               (1 - std::pow(options_.beta1, next)) * ratio *
               (idle.decay - idle.ratio) / (1 - decay - ratio);
  return idle;
}

void EmbeddingTable::Advance(const Idle& idle, const float* row,
                             float* weights) const {
  const float* m = row + width_;
  const float* v = m + width_;
  const auto decay = static_cast<float>(idle.decay);
  const auto drift = static_cast<float>(idle.drift);
  for (int32_t i = 0; i < width_; ++i) {
    // v is 0 only where m is: a value that never had a gradient.
    const float along = v[i] > 0 ? m[i] / std::sqrt(v[i]) : 0.0f;
    weights[i] = row[i] * decay - drift * along;
  }
}

void EmbeddingTable::SetRow(int64_t row, const float* weights) {
  std::copy(weights, weights + width_, &state_[row * 3 * width_]);
}

void EmbeddingTable::Touch(int64_t row) {
  if (step_ == last_steps_[row]) return;
  float* w = &state_[row * 3 * width_];
  const Idle idle = IdleSince(last_steps_[row]);
  Advance(idle, w, w);
  const auto beta1 = static_cast<float>(idle.beta1);
  const auto beta2 = static_cast<float>(idle.beta2);
  for (int32_t i = width_; i < 2 * width_; ++i) {
    w[i] *= beta1;
    w[i + width_] *= beta2;
  }
  last_steps_[row] = step_;
}

void EmbeddingTable::Read(int64_t row, absl::Span<float> out) const {
  const float* w = &state_[row * 3 * width_];
  if (step_ == last_steps_[row]) {
    std::copy(w, w + width_, out.begin());
    return;
  }
  Advance(IdleSince(last_steps_[row]), w, out.data());
}

void EmbeddingTable::set_step(int64_t step) {
  step_ = step;
  const double rate = options_.learning_rate.Of(step);
  const auto next = static_cast<double>(step + 1);
  factors_ = {
      .rate = static_cast<float>(rate / (1 - std::pow(options_.beta1, next))),
      .correction =
          static_cast<float>(1 / std::sqrt(1 - std::pow(options_.beta2, next))),
      .decay = static_cast<float>(1 - rate * options_.weight_decay)};
}

void EmbeddingTable::Update(int64_t row, const float* gradient, float scale) {
  float* w = &state_[row * 3 * width_];
  float* m = w + width_;
  float* v = m + width_;
  const auto [rate, correction, decay] = factors_;
  const float beta1 = static_cast<float>(options_.beta1);
  const float beta2 = static_cast<float>(options_.beta2);
  const float epsilon = static_cast<float>(options_.epsilon);
  for (int32_t i = 0; i < width_; ++i) {
    const float g = scale * gradient[i];
    m[i] = beta1 * m[i] + (1 - beta1) * g;
    v[i] = beta2 * v[i] + (1 - beta2) * g * g;
    w[i] =
        w[i] * decay - rate * m[i] / (std::sqrt(v[i]) * correction + epsilon);
  }
  last_steps_[row] = step_ + 1;
}

}  // namespace segue
