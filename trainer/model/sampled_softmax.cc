#include "trainer/model/sampled_softmax.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/base/fast_exp.h"

namespace segue {
namespace {

// Queries at once: a block of logits of 4,096 candidates is 16 MB.
constexpr int64_t kBlock = 1024;

constexpr float kNever = -std::numeric_limits<float>::infinity();

float Highest(const float* values, int64_t count) {
  // Eight at a time, as vectors are.
  float highest[8];
  std::fill(highest, highest + 8, kNever);
  int64_t c = 0;
  for (; c + 8 <= count; c += 8) {
    for (int i = 0; i < 8; ++i) {
      highest[i] = values[c + i] > highest[i] ? values[c + i] : highest[i];
    }
  }
  for (; c < count; ++c) highest[0] = std::max(highest[0], values[c]);
  return *std::max_element(highest, highest + 8);
}

// values[c] = e^(values[c] - highest); returns their sum.
float Exponentials(float* values, int64_t count, float highest) {
  float sums[8] = {};
  int64_t c = 0;
  for (; c + 8 <= count; c += 8) {
    for (int i = 0; i < 8; ++i) {
      values[c + i] = ExpOfNegative(values[c + i] - highest);
      sums[i] += values[c + i];
    }
  }
  for (; c < count; ++c) {
    values[c] = ExpOfNegative(values[c] - highest);
    sums[0] += values[c];
  }
  return std::accumulate(sums, sums + 8, 0.0f);
}

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

// Turns the cosines of query `i` into derivatives; returns its loss.
double OfQuery(const SoftmaxBatch& batch, int64_t i, float scale,
               float* values) {
  const int64_t count = batch.candidate.size(0);
  const int32_t target = batch.targets[i];
  const float of_target =
      scale * values[target] +
      (batch.target_offsets.empty() ? 0 : batch.target_offsets[target]);
  const absl::Span<const PairOffset> pairs = Of(batch.pairs, i);
  std::vector<float> of_pairs;  // before the candidates' offsets hide them
  of_pairs.reserve(pairs.size());
  for (const PairOffset& pair : pairs) {
    of_pairs.push_back(scale * values[pair.candidate] + pair.offset);
  }
  ToLogits(values, count, scale, batch.negative_offsets);
  for (size_t p = 0; p < pairs.size(); ++p) {
    values[pairs[p].candidate] = of_pairs[p];
  }
  values[target] = of_target;
  const float weight = batch.weights.empty() ? 1 : batch.weights[i];
  return ToGradient(values, count, target,
                    weight / static_cast<float>(batch.targets.size()));
}

}  // namespace

double SampledSoftmax::Compute(const SoftmaxBatch& batch,
                               SoftmaxGradients& gradients) {
  torch::NoGradGuard no_grad;
  const torch::Tensor query = batch.query.detach();
  const torch::Tensor candidate = batch.candidate.detach();
  const int64_t queries = query.size(0), candidates = candidate.size(0);
  const auto scale = static_cast<float>(1 / batch.temperature);
  if (!buffer_.defined() || buffer_.numel() < kBlock * candidates) {
    buffer_ = torch::empty({kBlock * candidates});
  }
  gradients.query = torch::empty_like(query);
  gradients.candidate = torch::zeros_like(candidate);
  std::vector<double> losses(queries);
  for (int64_t first = 0; first < queries; first += kBlock) {
    const int64_t rows = std::min(kBlock, queries - first);
    torch::Tensor logits =
        buffer_.narrow(0, 0, rows * candidates).view({rows, candidates});
    const torch::Tensor block = query.narrow(0, first, rows);
    torch::mm_out(logits, block, candidate.t());
    float* values = logits.data_ptr<float>();
#pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r) {
      losses[first + r] =
          OfQuery(batch, first + r, scale, values + r * candidates);
    }
    torch::Tensor to = gradients.query.narrow(0, first, rows);
    torch::mm_out(to, logits, candidate);
    to.mul_(scale);
    gradients.candidate.addmm_(logits.t(), block, /*beta=*/1, /*alpha=*/scale);
  }
  // d logit / d log temperature = -cosine / temperature.
  gradients.log_temperature = -(gradients.query * query).sum().item<double>();
  double loss = 0;
  for (const double each : losses) loss += each;
  return loss;
}

}  // namespace segue
