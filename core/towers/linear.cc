// Linear layers of towers that serve.
#include <torch/types.h>

#include "core/towers/attention.h"
#include "core/towers/few_rows_linear.h"

namespace segue::attention {
namespace {

// From here on the general product is as fast.
constexpr int64_t kFewRows = 32;

}  // namespace

torch::Tensor LinearOperator(const torch::Tensor& x,
                             const torch::Tensor& weight,
                             const torch::Tensor& bias, bool relu) {
  TORCH_CHECK(x.dim() == 2 && weight.dim() == 2 && bias.dim() == 1 &&
                  x.size(1) == weight.size(1) && bias.size(0) == weight.size(0),
              "linear: x ", x.sizes(), ", weight ", weight.sizes(), ", bias ",
              bias.sizes(), " do not fit each other");
  TORCH_CHECK(x.scalar_type() == torch::kFloat &&
                  weight.scalar_type() == torch::kFloat &&
                  bias.scalar_type() == torch::kFloat,
              "linear: floats are expected");
  const bool has_gradient =
      torch::GradMode::is_enabled() &&
      (x.requires_grad() || weight.requires_grad() || bias.requires_grad());
  if (x.size(0) > kFewRows || has_gradient) {
    torch::Tensor y = at::addmm(bias, x, weight.t());
    return relu ? y.relu_() : y;
  }
  const torch::Tensor rows = x.contiguous(), w = weight.contiguous(),
                      b = bias.contiguous();
  torch::Tensor y = torch::empty({x.size(0), weight.size(0)}, x.options());
  FewRowsLinear(rows.data_ptr<float>(), x.size(0), w.data_ptr<float>(),
                b.data_ptr<float>(), x.size(1), weight.size(0), relu,
                y.data_ptr<float>());
  return y;
}

}  // namespace segue::attention
