#include "trainer/model/sampled_softmax.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/fast_exp.h"
#include "core/base/vectorised.h"

namespace segue {
namespace {

// Queries at once: a block of logits of 4,096 candidates is 16 MB.
constexpr int64_t kBlock = 1024;

constexpr float kNever = -std::numeric_limits<float>::infinity();

// Cosines of one query become logits of negatives.
void ToLogits(float* values, int64_t count, float scale,
              absl::Span<const float> offsets) {
  if (offsets.empty()) {
    for (int64_t c = 0; c < count; ++c) values[c] *= scale;
    return;
  }
  const float* offset = offsets.data();
  for (int64_t c = 0; c < count; ++c) {
    values[c] = values[c] * scale + offset[c];
  }
}

// Those of the query.
absl::Span<const PairOffset> Of(absl::Span<const PairOffset> sorted,
                                int64_t query) {
  const auto before = [&sorted](int64_t end) {
    return std::partition_point(
               sorted.begin(), sorted.end(),
               [end](const PairOffset& pair) { return pair.query < end; }) -
           sorted.begin();
  };
  const auto begin = before(query);
  return sorted.subspan(begin, before(query + 1) - begin);
}

// Turns the logits of one query into the loss's derivatives by them; returns
// the loss.
double ToGradient(float* logits, int64_t count, int32_t target, float share) {
  const float highest = Highest(logits, count);
  const float of_target = logits[target] - highest;
  const float sum = Exponentials(logits, count, highest);
  const float scale = share / sum;
  for (int64_t c = 0; c < count; ++c) logits[c] *= scale;
  logits[target] -= share;
  return share * (std::log(double{sum}) - of_target);
}

// The values of a query: those with the candidates that can be negatives and,
// where others are there, one with its target, if that is such a one.
struct Layout {
  explicit Layout(const SoftmaxBatch& batch)
      : candidates(batch.candidate.size(0)),
        negatives(batch.negatives < 0 ? candidates : batch.negatives),
        width(negatives + (negatives < candidates ? 1 : 0)) {}

  bool IsOwn(int32_t target) const { return target >= negatives; }

  const int64_t candidates, negatives, width;
};

// Turns the cosines of query `i` into derivatives; returns its loss.
double OfQuery(const SoftmaxBatch& batch, const Layout& layout, int64_t i,
               float scale, float* values) {
  const int32_t candidate = batch.targets[i];
  const auto target = static_cast<int32_t>(
      layout.IsOwn(candidate) ? layout.negatives : candidate);
  const float of_target =
      scale * values[target] +
      (batch.target_offsets.empty() ? 0 : batch.target_offsets[candidate]);
  const absl::Span<const PairOffset> pairs = Of(batch.pairs, i);
  std::vector<float> of_pairs;  // before the candidates' offsets hide them
  of_pairs.reserve(pairs.size());
  for (const PairOffset& pair : pairs) {
    of_pairs.push_back(layout.IsOwn(pair.candidate)
                           ? kNever
                           : scale * values[pair.candidate] + pair.offset);
  }
  ToLogits(values, layout.negatives, scale, batch.negative_offsets);
  if (layout.width > layout.negatives) values[layout.negatives] = kNever;
  for (size_t p = 0; p < pairs.size(); ++p) {
    const int32_t other = pairs[p].candidate;
    if (!layout.IsOwn(other)) values[other] = of_pairs[p];
  }
  values[target] = of_target;
  const float weight = batch.weights.empty() ? 1 : batch.weights[i];
  return ToGradient(values, layout.width, target,
                    weight / static_cast<float>(batch.targets.size()));
}

float Dot(const float* a, const float* b, int64_t count) {
  float sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

// to += factor * row.
void AddTo(float* to, float factor, const float* row, int64_t count) {
  for (int64_t i = 0; i < count; ++i) to[i] += factor * row[i];
}

}  // namespace

double SampledSoftmax::Compute(const SoftmaxBatch& batch,
                               SoftmaxGradients& gradients) {
  torch::NoGradGuard no_grad;
  const torch::Tensor query = batch.query.detach().contiguous();
  const torch::Tensor candidate = batch.candidate.detach().contiguous();
  const Layout layout(batch);
  const int64_t queries = query.size(0), width = layout.width;
  const int64_t d = query.size(1), negatives = layout.negatives;
  const auto scale = static_cast<float>(1 / batch.temperature);
  if (!buffer_.defined() || buffer_.numel() < kBlock * width) {
    buffer_ = torch::empty({kBlock * width});
  }
  gradients.query = torch::empty_like(query);
  gradients.candidate = torch::zeros_like(candidate);
  const torch::Tensor shared = candidate.narrow(0, 0, negatives);
  torch::Tensor of_shared = gradients.candidate.narrow(0, 0, negatives);
  const float* q = query.data_ptr<float>();
  const float* c = candidate.data_ptr<float>();
  float* to_q = gradients.query.data_ptr<float>();
  float* to_c = gradients.candidate.data_ptr<float>();
  std::vector<double> losses(queries);
  for (int64_t first = 0; first < queries; first += kBlock) {
    const int64_t rows = std::min(kBlock, queries - first);
    torch::Tensor logits = buffer_.narrow(0, 0, rows * width)
                               .view({rows, width})
                               .narrow(1, 0, negatives);
    const torch::Tensor block = query.narrow(0, first, rows);
    torch::mm_out(logits, block, shared.t());
    float* values = buffer_.data_ptr<float>();
#pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t i = first + r;
      float* row = values + r * width;
      const int64_t target = batch.targets[i];
      Vectorised([&] {
        if (target >= negatives) {
          row[negatives] = Dot(q + i * d, c + target * d, d);
        }
        losses[i] = OfQuery(batch, layout, i, scale, row);
      });
    }
    torch::Tensor to = gradients.query.narrow(0, first, rows);
    torch::mm_out(to, logits, shared);
    to.mul_(scale);
    of_shared.addmm_(logits.t(), block, /*beta=*/1, /*alpha=*/scale);
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t i = first + r, target = batch.targets[i];
      if (target < negatives) continue;
      const float derivative = scale * values[r * width + negatives];
      AddTo(to_q + i * d, derivative, c + target * d, d);
      AddTo(to_c + target * d, derivative, q + i * d, d);
    }
  }
  // d logit / d log temperature = -cosine / temperature.
  gradients.log_temperature = -(gradients.query * query).sum().item<double>();
  double loss = 0;
  for (const double each : losses) loss += each;
  return loss;
}

}  // namespace segue
