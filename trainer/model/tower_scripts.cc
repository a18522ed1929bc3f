#include "trainer/model/tower_scripts.h"

#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"

namespace segue {
namespace {

// Registers the weights of an MLP and returns the method `mlp` over them.
//
// One row takes matrix-vector products: measured at 40 us against 215 us for
// the general product (143-1024-512-128, one thread).
std::string DefineMlp(torch::jit::Module& module, int32_t input,
                      const TowerOptions& options) {
  std::string single, batch;
  at::Generator generator = at::detail::createCPUGenerator(options.seed);
  int32_t width = input;
  for (size_t i = 0; i < options.layers.size(); ++i) {
    const int32_t next = options.layers[i];
    const double deviation = std::sqrt(2.0 / (width + next));
    module.register_parameter(absl::StrCat("weight", i),
                              torch::empty({next, width})
                                  .normal_(0, deviation, generator)
                                  .requires_grad_(true),
                              false);
    module.register_parameter(absl::StrCat("bias", i),
                              torch::zeros({next}).requires_grad_(true), false);
    absl::StrAppend(&single, "      v = torch.addmv(self.bias", i,
                    ", self.weight", i, ", v)\n");
    absl::StrAppend(&batch, "      x = torch.addmm(self.bias", i,
                    ", x, self.weight", i, ".t())\n");
    if (i + 1 < options.layers.size()) {
      absl::StrAppend(&single, "      v = torch.relu(v)\n");
      absl::StrAppend(&batch, "      x = torch.relu(x)\n");
      if (options.dropout > 0) {
        absl::StrAppend(&batch, "      x = torch.dropout(x, ", options.dropout,
                        ", self.training)\n");
      }
    }
    width = next;
  }
  return absl::StrCat(R"(
  def mlp(self, x: Tensor) -> Tensor:
    if x.size(0) == 1 and not self.training:
      v = x[0]
)",
                      single, "      x = v.unsqueeze(0)\n    else:\n", batch,
                      R"(
    return x / torch.sqrt((x * x).sum(1, keepdim=True) + 1e-24)
)");
}

}  // namespace

torch::jit::Module MakeQueryTower(const TowerShape& shape,
                                  const TowerOptions& options) {
  torch::jit::Module module("QueryTower");
  module.register_attribute("training", c10::BoolType::get(), true);
  const int32_t input = shape.user_width + 2 * shape.item_width + 1;
  module.define(DefineMlp(module, input, options));
  module.define(R"(
  def forward(self, user: Tensor, history: Tensor, mask: Tensor,
              seed: Tensor, age: Tensor) -> Tensor:
    share = mask / torch.clamp(mask.sum(1, keepdim=True), min=1.0)
    pooled = torch.bmm(share.unsqueeze(1), history).squeeze(1)
    return self.mlp(torch.cat([user, pooled, seed, age.unsqueeze(1)], 1))
)");
  return module;
}

torch::jit::Module MakeItemTower(const TowerShape& shape,
                                 const TowerOptions& options) {
  torch::jit::Module module("ItemTower");
  module.register_attribute("training", c10::BoolType::get(), true);
  module.define(DefineMlp(module, shape.item_width, options));
  module.define(R"(
  def forward(self, rows: Tensor) -> Tensor:
    return self.mlp(rows)
)");
  return module;
}

}  // namespace segue
