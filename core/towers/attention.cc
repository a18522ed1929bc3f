#include "core/towers/attention.h"

#include <torch/csrc/jit/frontend/sugared_value.h>
#include <torch/library.h>

#include <string>

namespace segue {
namespace {

class Resolver : public torch::jit::NativeResolver {
 public:
  std::shared_ptr<torch::jit::SugaredValue> resolveValue(
      const std::string& name, torch::jit::GraphFunction& function,
      const torch::jit::SourceRange& place) override {
    if (name == "segue") {
      return std::make_shared<torch::jit::BuiltinModule>("segue");
    }
    return NativeResolver::resolveValue(name, function, place);
  }
};

}  // namespace

void RegisterAttention() {
  static const bool registered = [] {
    static torch::Library library(torch::Library::DEF, "segue", c10::nullopt,
                                  __FILE__, __LINE__);
    library.def(
        "softmax_attention(Tensor qkv, Tensor begins, int heads, "
        "float dropout, int seed) -> Tensor",
        &attention::SoftmaxOperator);
    library.def("dropout(Tensor x, float share, bool training) -> Tensor",
                &attention::DropoutOperator);
    library.def(
        "linear(Tensor x, Tensor weight, Tensor bias, bool relu) -> Tensor",
        &attention::LinearOperator);
    library.def(
        "mean_query(Tensor user, Tensor history, Tensor mask, Tensor seed, "
        "Tensor age) -> Tensor",
        &attention::MeanQueryOperator);
    library.def("unit(Tensor x) -> Tensor", &attention::UnitOperator);
    library.def(
        "pointwise_attention(Tensor qkv, Tensor begins, Tensor position_bias, "
        "Tensor time_bias, Tensor times, Tensor next_times, int heads, "
        "float normaliser) -> Tensor",
        &attention::PointwiseOperator);
    return true;
  }();
  (void)registered;
}

std::shared_ptr<torch::jit::Resolver> AttentionResolver() {
  RegisterAttention();
  return std::make_shared<Resolver>();
}

}  // namespace segue
