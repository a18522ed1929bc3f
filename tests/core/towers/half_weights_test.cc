#include "core/towers/half_weights.h"

#include <sstream>
#include <string>
#include <vector>

#include "core/towers/attention.h"
#include "core/towers/few_rows_linear.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace segue {
namespace {

using torch::Tensor;

// Layers `a` (weight only a linear layer's) and `b`, both by way of a branch
// that training alone would take.
constexpr char kTower[] = R"(
    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            x = x @ self.a_weight.t()
        else:
            x = segue.linear(x, self.a_weight, self.a_bias, True)
        return segue.linear(x, self.b_weight, self.b_bias, False)
)";
// `b` is looked at by another operator, too.
constexpr char kSharingTower[] = R"(
    def forward(self, x: Tensor) -> Tensor:
        x = segue.linear(x, self.a_weight, self.a_bias, True)
        x = segue.linear(x, self.b_weight, self.b_bias, False)
        return torch.mm(x, self.b_weight)
)";

torch::jit::Module Tower(const std::string& code, float scale = 1) {
  torch::manual_seed(1);
  torch::jit::Module module("tower");
  module.register_attribute("training", c10::BoolType::get(), true);
  const auto add = [&](const std::string& name, const Tensor& value) {
    module.register_parameter(name, value, /*is_buffer=*/false);
  };
  add("a_weight", torch::randn({24, 17}) * scale);
  add("a_bias", torch::randn({24}));
  add("b_weight", torch::randn({5, 24}));
  add("b_bias", torch::randn({5}));
  module.define(code, AttentionResolver());
  module.eval();
  return module;
}

Tensor Forward(torch::jit::Module& module, const Tensor& x) {
  const c10::InferenceMode guard;
  return module.forward({x}).toTensor();
}

// Types of the weights that linear layers take.
std::vector<c10::ScalarType> WeightTypes(const torch::jit::Module& module) {
  std::vector<c10::ScalarType> types;
  const auto graph = module.get_method("forward").graph();
  for (torch::jit::Node* node : graph->nodes()) {
    if (node->kind() != c10::Symbol::fromQualString("segue::linear")) continue;
    const auto weight = torch::jit::toIValue(node->input(1));
    if (weight) types.push_back(weight->toTensor().scalar_type());
  }
  return types;
}

class HalfWeightsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!HasFastHalves()) GTEST_SKIP() << "the processor lacks F16C or AVX2";
  }
  const Tensor x_ = torch::randn({3, 17});
};

TEST_F(HalfWeightsTest, GiveNearlyTheSameVectors) {
  torch::jit::Module tower = Tower(kTower), halves = WithHalfWeights(tower);
  EXPECT_THAT(WeightTypes(halves),
              ::testing::ElementsAre(torch::kHalf, torch::kHalf));
  const Tensor exact = Forward(tower, x_), rounded = Forward(halves, x_);
  EXPECT_TRUE(torch::allclose(rounded, exact, /*rtol=*/5e-3, /*atol=*/2e-2));
  EXPECT_FALSE(torch::equal(rounded, exact));
}

TEST_F(HalfWeightsTest, TheModuleItselfKeepsItsFloats) {
  torch::jit::Module tower = Tower(kTower);
  const Tensor before = Forward(tower, x_);
  torch::jit::Module halves = WithHalfWeights(tower);
  Forward(halves, x_);
  EXPECT_TRUE(torch::equal(Forward(tower, x_), before));
  EXPECT_EQ(tower.attr("a_weight").toTensor().scalar_type(), torch::kFloat);
}

TEST_F(HalfWeightsTest, AWeightThatOthersTakeStaysAsItIs) {
  torch::jit::Module tower = Tower(kSharingTower);
  EXPECT_THAT(WeightTypes(WithHalfWeights(tower)),
              ::testing::ElementsAre(torch::kHalf, torch::kFloat));
}

TEST_F(HalfWeightsTest, AWeightBeyondHalvesStaysAsItIs) {
  EXPECT_THAT(WeightTypes(WithHalfWeights(Tower(kTower, 1e6))),
              ::testing::ElementsAre(torch::kFloat, torch::kHalf));
}

TEST_F(HalfWeightsTest, ATowerThatIsSavedAndLoadedIsTheSame) {
  torch::jit::Module tower = Tower(kTower);
  std::stringstream bytes;
  tower.save(bytes);
  torch::jit::Module loaded = torch::jit::load(bytes, torch::kCPU);
  loaded.eval();
  torch::jit::Module one = WithHalfWeights(tower),
                     other = WithHalfWeights(loaded);
  EXPECT_TRUE(torch::equal(Forward(one, x_), Forward(other, x_)));
}

}  // namespace
}  // namespace segue
