// The two ends of a tower that serves: the row that its layers take, and the
// vectors of length 1 that it gives.
//
// For a single query each operator of torch costs more than its arithmetic:
// dispatch, tensors for what lies between, code that searches have driven out
// of the caches. These are one operator each for a dozen.
#include <torch/types.h>

#include <algorithm>
#include <cmath>

#include "core/towers/attention.h"

namespace segue::attention {
namespace {

bool IsFloats(const torch::Tensor& x, int64_t dimensions) {
  return x.scalar_type() == torch::kFloat && x.dim() == dimensions;
}

// The mean of those of n rows [n, width] whose mask is not 0; of none: 0.
void Mean(const float* rows, const float* mask, int64_t n, int64_t width,
          float* mean) {
  float weight = 0;
  for (int64_t i = 0; i < n; ++i) weight += mask[i];
  weight = std::max(weight, 1.0F);
  std::fill_n(mean, width, 0.0F);
  for (int64_t i = 0; i < n; ++i) {
    if (mask[i] == 0) continue;
    const float share = mask[i] / weight;
    for (int64_t j = 0; j < width; ++j) mean[j] += share * rows[i * width + j];
  }
}

torch::Tensor MeanQueryWithGradient(const torch::Tensor& user,
                                    const torch::Tensor& history,
                                    const torch::Tensor& mask,
                                    const torch::Tensor& seed,
                                    const torch::Tensor& age) {
  const torch::Tensor share = mask / mask.sum(1, /*keepdim=*/true).clamp_min(1);
  const torch::Tensor pooled = (share.unsqueeze(2) * history).sum(1);
  return torch::cat({user, pooled, seed, age.unsqueeze(1)}, 1);
}

constexpr float kLeastSquare = 1e-24F;  // nothing by nothing is nothing

}  // namespace

torch::Tensor MeanQueryOperator(const torch::Tensor& user,
                                const torch::Tensor& history,
                                const torch::Tensor& mask,
                                const torch::Tensor& seed,
                                const torch::Tensor& age) {
  TORCH_CHECK(IsFloats(user, 2) && IsFloats(history, 3) && IsFloats(mask, 2) &&
                  IsFloats(seed, 2) && IsFloats(age, 1),
              "mean_query: floats [b, u], [b, n, f], [b, n], [b, f], [b] are "
              "expected");
  const int64_t b = user.size(0), u = user.size(1), n = history.size(1),
                f = history.size(2);
  TORCH_CHECK(history.size(0) == b && mask.size(0) == b && mask.size(1) == n &&
                  seed.size(0) == b && seed.size(1) == f && age.size(0) == b,
              "mean_query: user ", user.sizes(), ", history ", history.sizes(),
              ", mask ", mask.sizes(), ", seed ", seed.sizes(), ", age ",
              age.sizes(), " do not fit each other");
  if (WantGradient(user, history, mask, seed, age)) {
    return MeanQueryWithGradient(user, history, mask, seed, age);
  }
  const torch::Tensor users = user.contiguous(), rows = history.contiguous(),
                      masks = mask.contiguous(), seeds = seed.contiguous(),
                      ages = age.contiguous();
  torch::Tensor query = torch::empty({b, u + 2 * f + 1}, user.options());
  float* to = query.data_ptr<float>();
  for (int64_t q = 0; q < b; ++q) {
    to = std::copy_n(users.data_ptr<float>() + q * u, u, to);
    Mean(rows.data_ptr<float>() + q * n * f, masks.data_ptr<float>() + q * n, n,
         f, to);
    to = std::copy_n(seeds.data_ptr<float>() + q * f, f, to + f);
    *to++ = ages.data_ptr<float>()[q];
  }
  return query;
}

torch::Tensor UnitOperator(const torch::Tensor& x) {
  TORCH_CHECK(IsFloats(x, 2), "unit: floats [rows, d] are expected");
  if (WantGradient(x)) {
    return x / torch::sqrt((x * x).sum(1, /*keepdim=*/true) + kLeastSquare);
  }
  const torch::Tensor rows = x.contiguous();
  torch::Tensor unit = torch::empty_like(rows);
  const int64_t d = x.size(1);
  for (int64_t row = 0; row < x.size(0); ++row) {
    const float* from = rows.data_ptr<float>() + row * d;
    float* to = unit.data_ptr<float>() + row * d;
    float squares = 0;
    for (int64_t j = 0; j < d; ++j) squares += from[j] * from[j];
    const float length = std::sqrt(squares + kLeastSquare);
    for (int64_t j = 0; j < d; ++j) to[j] = from[j] / length;
  }
  return unit;
}

}  // namespace segue::attention
