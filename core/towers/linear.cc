// Linear layers of towers that serve.
#include <torch/types.h>

#include "core/towers/attention.h"
#include "core/towers/few_rows_linear.h"

namespace segue::attention {
namespace {

// From here on the general product is as fast; of weights that it has to turn
// into floats first, later.
constexpr int64_t kFewRows = 32;
constexpr int64_t kFewRowsOfHalves = 128;

torch::Tensor GeneralProduct(const torch::Tensor& x,
                             const torch::Tensor& weight,
                             const torch::Tensor& bias, bool relu) {
  torch::Tensor y = at::addmm(bias, x, weight.to(torch::kFloat).t());
  return relu ? y.relu_() : y;
}

}  // namespace

torch::Tensor LinearOperator(const torch::Tensor& x,
                             const torch::Tensor& weight,
                             const torch::Tensor& bias, bool relu) {
  TORCH_CHECK(x.dim() == 2 && weight.dim() == 2 && bias.dim() == 1 &&
                  x.size(1) == weight.size(1) && bias.size(0) == weight.size(0),
              "linear: x ", x.sizes(), ", weight ", weight.sizes(), ", bias ",
              bias.sizes(), " do not fit each other");
  const bool halves = weight.scalar_type() == torch::kHalf;
  TORCH_CHECK(x.scalar_type() == torch::kFloat &&
                  (weight.scalar_type() == torch::kFloat || halves) &&
                  bias.scalar_type() == torch::kFloat,
              "linear: floats are expected, or halves as weights");
  if (x.size(0) > (halves ? kFewRowsOfHalves : kFewRows) ||
      WantGradient(x, weight, bias) || (halves && !HasFastHalves())) {
    return GeneralProduct(x, weight, bias, relu);
  }
  const torch::Tensor rows = x.contiguous(), w = weight.contiguous(),
                      b = bias.contiguous();
  torch::Tensor y = torch::empty({x.size(0), weight.size(0)}, x.options());
  const auto multiply = [&](const auto* weights) {
    FewRowsLinear(rows.data_ptr<float>(), x.size(0), weights,
                  b.data_ptr<float>(), x.size(1), weight.size(0), relu,
                  y.data_ptr<float>());
  };
  if (halves) {
    static_assert(sizeof(Half) == sizeof(at::Half));
    multiply(reinterpret_cast<const Half*>(w.data_ptr<at::Half>()));
  } else {
    multiply(w.data_ptr<float>());
  }
  return y;
}

}  // namespace segue::attention
