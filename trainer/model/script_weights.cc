#include "trainer/model/script_weights.h"

#include <cmath>

#include "absl/strings/str_cat.h"

namespace segue {

void ScriptWeights::Add(const std::string& name, const torch::Tensor& values) {
  module_.register_parameter(name, values.requires_grad_(true),
                             /*is_buffer=*/false);
}

void ScriptWeights::AddLinear(const std::string& name, int32_t in,
                              int32_t out) {
  AddNormal(name + "_weight", {out, in}, std::sqrt(2.0 / (in + out)));
  AddZeros(name + "_bias", {out});
}

void ScriptWeights::AddZeroLinear(const std::string& name, int32_t in,
                                  int32_t out) {
  AddZeros(name + "_weight", {out, in});
  AddZeros(name + "_bias", {out});
}

void ScriptWeights::AddNorm(const std::string& name, int32_t width) {
  Add(name + "_weight", torch::ones({width}));
  AddZeros(name + "_bias", {width});
}

void ScriptWeights::AddNormal(const std::string& name, at::IntArrayRef sizes,
                              double deviation) {
  Add(name, torch::empty(sizes).normal_(0, deviation, generator_));
}

void ScriptWeights::AddZeros(const std::string& name, at::IntArrayRef sizes) {
  Add(name, torch::zeros(sizes));
}

std::string ScriptWeights::Linear(const std::string& name,
                                  const std::string& x) {
  return absl::StrCat("torch.addmm(self.", name, "_bias, ", x, ", self.", name,
                      "_weight.t())");
}

std::string ScriptWeights::Norm(const std::string& name, const std::string& x,
                                int32_t width) {
  return absl::StrCat("torch.layer_norm(", x, ", [", width, "], self.", name,
                      "_weight, self.", name, "_bias)");
}

std::string ScriptWeights::Dropout(const std::string& x, double share) {
  if (share <= 0) return x;
  return absl::StrCat("segue.dropout(", x, ", ", share, ", self.training)");
}

}  // namespace segue
