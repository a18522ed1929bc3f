// Dropout (Srivastava et al. 2014) whose mask is computed where it is needed:
// torch's draws its own one number after the other on one thread, and keeps it.
#include "core/towers/dropout.h"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <mutex>

#include "core/base/vectorised.h"
#include "core/towers/attention.h"

namespace segue::attention {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Values that share a row of Dropout.
constexpr int64_t kRow = 4096;

Tensor Dropped(const Tensor& x, const Dropout& dropout) {
  Tensor out = torch::empty_like(x, at::MemoryFormat::Contiguous);
  const Tensor values = x.contiguous();
  const float* from = values.data_ptr<float>();
  float* to = out.data_ptr<float>();
  const int64_t count = values.numel(), rows = (count + kRow - 1) / kRow;
#pragma omp parallel for
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t begin = row * kRow, size = std::min(kRow, count - begin);
    std::copy(from + begin, from + begin + size, to + begin);
    Vectorised([&] { dropout.Apply(row, size, to + begin); });
  }
  return out;
}

// Of torch's own generator, which torch::manual_seed() sets.
int64_t DrawSeed() {
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  const std::lock_guard<std::mutex> lock(generator.mutex());
  return static_cast<int64_t>(
      at::check_generator<at::CPUGeneratorImpl>(generator)->random64());
}

class DropoutFunction : public torch::autograd::Function<DropoutFunction> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x,
                        double probability, int64_t seed) {
    context->saved_data["probability"] = probability;
    context->saved_data["seed"] = seed;
    return Dropped(
        x, {static_cast<float>(probability), static_cast<uint64_t>(seed)});
  }

  static variable_list backward(AutogradContext* context,
                                const variable_list& grads) {
    return {
        Dropped(
            grads[0],
            {static_cast<float>(context->saved_data["probability"].toDouble()),
             static_cast<uint64_t>(context->saved_data["seed"].toInt())}),
        Tensor(), Tensor()};
  }
};

}  // namespace

Tensor DropoutOperator(const Tensor& x, double probability, bool training) {
  TORCH_CHECK(probability >= 0 && probability < 1,
              "dropout: the share must be in [0, 1), is ", probability);
  TORCH_CHECK(x.scalar_type() == torch::kFloat, "dropout: floats are expected");
  if (!training || probability == 0) return x;
  return DropoutFunction::apply(x, probability, DrawSeed());
}

}  // namespace segue::attention
