#include "core/towers/half_weights.h"

#include <algorithm>

#include "core/towers/few_rows_linear.h"

namespace segue {
namespace {

using torch::jit::Node;

bool IsWeightOfLinear(const torch::jit::Use& use) {
  return use.user->kind() == c10::Symbol::fromQualString("segue::linear") &&
         use.offset == 1;
}

void MakeHalf(Node* constant) {
  torch::jit::Value* value = constant->output();
  const bool is_tensor =
      constant->kindOf(c10::attr::value) == torch::jit::AttributeKind::t;
  if (!is_tensor || value->uses().empty() ||
      !std::all_of(value->uses().begin(), value->uses().end(),
                   IsWeightOfLinear)) {
    return;
  }
  const at::Tensor half =
      constant->t(c10::attr::value).to(torch::kHalf).contiguous();
  if (!torch::isfinite(half).all().item<bool>()) return;
  constant->t_(c10::attr::value, half);
  value->inferTypeFrom(half);
}

void MakeHalves(torch::jit::Block* block) {
  for (Node* node : block->nodes()) {
    for (torch::jit::Block* inner : node->blocks()) MakeHalves(inner);
    if (node->kind() == c10::prim::Constant &&
        node->hasAttribute(c10::attr::value)) {
      MakeHalf(node);
    }
  }
}

}  // namespace

torch::jit::Module WithHalfWeights(const torch::jit::Module& module) {
  if (!HasFastHalves()) return module;
  torch::jit::Module frozen = torch::jit::freeze(module, /*preserved_attrs=*/{},
                                                 /*optimize_numerics=*/false);
  MakeHalves(frozen.get_method("forward").graph()->block());
  return frozen;
}

}  // namespace segue
