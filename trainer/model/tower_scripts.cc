#include "trainer/model/tower_scripts.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "core/towers/attention.h"
#include "trainer/model/script_weights.h"

namespace segue {
namespace {

std::string LayerName(absl::string_view prefix, size_t number) {
  return absl::StrCat(prefix, "layer", number);
}

// The method `prefix`mlp(x [B, input]) -> [B, d] of the layers `prefix`layer0
// and so on, which the weights have.
//
// Inference takes an operator that is fast for the few rows of a server: at
// 143-1024-512-128 on one thread 40 us for one row and 20 us for each of three
// to 32, where the general product takes 215 us, and 140 to 25 us for each.
std::string MlpMethod(absl::string_view prefix, size_t layers, double dropout) {
  std::string serving, training;
  for (size_t i = 0; i < layers; ++i) {
    const std::string name = LayerName(prefix, i);
    const bool last = i + 1 == layers;
    absl::StrAppend(&serving, "      x = segue.linear(x, self.", name,
                    "_weight, self.", name, "_bias, ", last ? "False" : "True",
                    ")\n");
    std::string rows = ScriptWeights::Linear(name, "x");
    if (!last) {
      rows = ScriptWeights::Dropout(absl::StrCat("torch.relu(", rows, ")"),
                                    dropout);
    }
    absl::StrAppend(&training, "      x = ", rows, "\n");
  }
  return absl::StrCat("\n  def ", prefix, R"(mlp(self, x: Tensor) -> Tensor:
    if self.training:
)",
                      training, "    else:\n", serving, "    return x\n");
}

// Adds the tower's own layers, the last one 0 if it is to say nothing at first.
void AddLayers(ScriptWeights& weights, int32_t input,
               const std::vector<int32_t>& layers, bool silent) {
  for (size_t i = 0; i < layers.size(); ++i) {
    if (silent && i + 1 == layers.size()) {
      weights.AddZeroLinear(LayerName("", i), input, layers[i]);
    } else {
      weights.AddLinear(LayerName("", i), input, layers[i]);
    }
    input = layers[i];
  }
}

// Gives the query tower the item tower's layers, as item_layer0 and so on.
// Returns how many they are.
size_t ShareLayers(const torch::jit::Module& items, ScriptWeights& weights) {
  size_t count = 0;
  for (; items.hasattr(LayerName("", count) + "_weight"); ++count) {
    for (const char* part : {"_weight", "_bias"}) {
      weights.Add(LayerName("item_", count) + part,
                  items.attr(LayerName("", count) + part).toTensor());
    }
  }
  return count;
}

constexpr char kMeanForward[] = R"(
  def forward(self, user: Tensor, history: Tensor, mask: Tensor,
              seed: Tensor, age: Tensor) -> Tensor:
    return segue.unit(
        self.mlp(segue.mean_query(user, history, mask, seed, age)))
)";

// Padding stands first and is left out before anything is computed. The seed
// stands in the newest place, which is where it comes from unless a request
// says otherwise.
constexpr char kSequenceForward[] = R"(
  def forward(self, user: Tensor, history: Tensor, mask: Tensor,
              seed: Tensor, age: Tensor$0) -> Tensor:
    there = mask > 0
    ends = there.sum(1).cumsum(0)
    begins = torch.cat([torch.zeros_like(ends[:1]), ends])
    back = torch.arange(mask.size(1) - 1, -1, -1).expand(mask.size(0), -1)
    rows = torch.cat([history[:, :-1], seed.unsqueeze(1)], 1)
    states = self.encode(rows[there], back[there], begins$1)
    return self.query(user, states[ends - 1], age)

  def forward_packed(self, user: Tensor, rows: Tensor, positions: Tensor,
                     begins: Tensor, age: Tensor$2) -> Tensor:
    return self.query(user, self.encode(rows, positions, begins$3), age)
)";

std::string SequenceForward(bool times) {
  if (!times) return absl::Substitute(kSequenceForward, "", "", "", "");
  return absl::Substitute(
      kSequenceForward, ", times: Tensor, now: Tensor",
      ", times[there],\n        torch.cat([times[:, 1:], now.unsqueeze(1)], 1)"
      "[there]",
      ", times: Tensor, next_times: Tensor", ", times, next_times");
}

// What the encoder says of the history, with the user and the age, is the
// query; or, where states lie among the items' vectors, what is added to it.
std::string QueryMethod(bool shared) {
  return absl::StrCat(R"(
  def query(self, user: Tensor, state: Tensor, age: Tensor) -> Tensor:
    return segue.unit()",
                      shared ? "state + " : "",
                      "self.mlp(torch.cat([user, state, age.unsqueeze(1)], "
                      "1)))\n");
}

}  // namespace

torch::jit::Module MakeQueryTower(const TowerShape& shape,
                                  const TowerOptions& options,
                                  const torch::jit::Module* shared_items) {
  torch::jit::Module module("QueryTower");
  module.register_attribute("training", c10::BoolType::get(), true);
  ScriptWeights weights(module, options.seed);
  const bool mean = options.encoder.kind == v1::EncoderConfig::MEAN;
  const bool shared = !mean && shared_items != nullptr;
  const int32_t encoded = mean ? 2 * shape.item_width : options.encoder.width;
  AddLayers(weights, shape.user_width + encoded + 1, options.layers, shared);
  std::string code = MlpMethod("", options.layers.size(), options.dropout);
  if (mean) {
    absl::StrAppend(&code, kMeanForward);
  } else {
    if (shared) {
      const size_t layers = ShareLayers(*shared_items, weights);
      absl::StrAppend(&code, MlpMethod("item_", layers, options.dropout));
    }
    absl::StrAppend(&code,
                    AddSequenceEncoder(weights, shared ? 0 : shape.item_width,
                                       shape.history_length,
                                       shape.history_times, options.encoder),
                    QueryMethod(shared), SequenceForward(shape.history_times));
  }
  module.define(code, AttentionResolver());
  return module;
}

torch::jit::Module MakeItemTower(const TowerShape& shape,
                                 const TowerOptions& options) {
  torch::jit::Module module("ItemTower");
  module.register_attribute("training", c10::BoolType::get(), true);
  ScriptWeights weights(module, options.seed);
  AddLayers(weights, shape.item_width, options.layers, /*silent=*/false);
  module.define(MlpMethod("", options.layers.size(), options.dropout) +
                    R"(
  def forward(self, rows: Tensor) -> Tensor:
    return segue.unit(self.mlp(rows))
)",
                AttentionResolver());
  return module;
}

}  // namespace segue
