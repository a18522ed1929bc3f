#include "trainer/model/sampled_softmax.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace segue {
namespace {

// Queries at once: a block of logits of 4,096 candidates is 16 MB.
constexpr int64_t kBlock = 1024;

torch::Tensor View(absl::Span<const float> values) {
  return torch::from_blob(const_cast<float*>(values.data()),
                          {static_cast<int64_t>(values.size())});
}

// Turns the logits of one query into the loss's derivatives by them; returns
// the loss.
double ToGradient(float* logits, int64_t count, int32_t target,
                  float target_difference, float share) {
  logits[target] += target_difference;
  float highest = logits[0];
  for (int64_t c = 1; c < count; ++c) highest = std::max(highest, logits[c]);
  const float of_target = logits[target] - highest;
  double sum = 0;
  for (int64_t c = 0; c < count; ++c) {
    logits[c] = std::exp(logits[c] - highest);
    sum += logits[c];
  }
  const auto scale = static_cast<float>(share / sum);
  for (int64_t c = 0; c < count; ++c) logits[c] *= scale;
  logits[target] -= share;
  return share * (std::log(sum) - of_target);
}

}  // namespace

double SampledSoftmax::Compute(const SoftmaxBatch& batch,
                               SoftmaxGradients& gradients) {
  torch::NoGradGuard no_grad;
  const torch::Tensor query = batch.query.detach();
  const torch::Tensor candidate = batch.candidate.detach();
  const int64_t queries = query.size(0), candidates = candidate.size(0);
  const double scale = 1 / batch.temperature;
  const torch::Tensor offsets =
      (batch.negative_offsets.empty() ? torch::zeros({candidates})
                                      : View(batch.negative_offsets))
          .unsqueeze(0);
  const auto difference = [&](int32_t c) {
    return (batch.target_offsets.empty() ? 0 : batch.target_offsets[c]) -
           (batch.negative_offsets.empty() ? 0 : batch.negative_offsets[c]);
  };
  if (!buffer_.defined() || buffer_.numel() < kBlock * candidates) {
    buffer_ = torch::empty({kBlock * candidates});
  }
  gradients.query = torch::empty_like(query);
  gradients.candidate = torch::zeros_like(candidate);
  std::vector<double> losses(queries);
  // By query.
  std::vector<std::pair<int32_t, int32_t>> masked(batch.masked.begin(),
                                                  batch.masked.end());
  std::sort(masked.begin(), masked.end());
  auto next = masked.begin();
  for (int64_t first = 0; first < queries; first += kBlock) {
    const int64_t rows = std::min(kBlock, queries - first);
    torch::Tensor logits =
        buffer_.narrow(0, 0, rows * candidates).view({rows, candidates});
    const torch::Tensor block = query.narrow(0, first, rows);
    torch::addmm_out(logits, offsets, block, candidate.t(), /*beta=*/1,
                     /*alpha=*/scale);
    float* values = logits.data_ptr<float>();
    for (; next != masked.end() && next->first < first + rows; ++next) {
      if (next->second == batch.targets[next->first]) continue;
      values[(next->first - first) * candidates + next->second] =
          -std::numeric_limits<float>::infinity();
    }
#pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t i = first + r;
      const float weight = batch.weights.empty() ? 1 : batch.weights[i];
      losses[i] = ToGradient(values + r * candidates, candidates,
                             batch.targets[i], difference(batch.targets[i]),
                             weight / static_cast<float>(queries));
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
