#include "trainer/model/sequence_encoder.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"

namespace segue {
namespace {

// Of position embeddings and biases: small beside what an item says.
constexpr double kPositionDeviation = 0.02;

std::string AddTransformerBlock(ScriptWeights& weights, const std::string& name,
                                const SequenceEncoderOptions& options) {
  using W = ScriptWeights;
  const int32_t width = options.width;
  weights.AddNorm(name + "_norm1", width);
  weights.AddLinear(name + "_qkv", width, 3 * width);
  weights.AddLinear(name + "_out", width, width);
  weights.AddNorm(name + "_norm2", width);
  weights.AddLinear(name + "_wide", width, 4 * width);
  weights.AddLinear(name + "_narrow", 4 * width, width);
  std::string attend = absl::Substitute(
      "    y = segue.softmax_attention(qkv, begins, $0, 0.0, 0)\n",
      options.heads);
  if (options.dropout > 0) {
    attend = absl::Substitute(R"(
    dropped = 0.0
    seed = 0
    if self.training:
      dropped = $1
      seed = int(torch.randint(0, 1 << 31, [1]).item())
    y = segue.softmax_attention(qkv, begins, $0, dropped, seed)
)",
                              options.heads, options.dropout);
  }
  return absl::Substitute(
      R"(
  def $0(self, x: Tensor, begins: Tensor) -> Tensor:
    qkv = $1
$2
    x = x + $3
    y = $4
    return x + $5
)",
      name, W::Linear(name + "_qkv", W::Norm(name + "_norm1", "x", width)),
      attend, W::Dropout(W::Linear(name + "_out", "y"), options.dropout),
      W::Dropout(absl::StrCat("torch.gelu(",
                              W::Linear(name + "_wide",
                                        W::Norm(name + "_norm2", "x", width)),
                              ")"),
                 options.dropout),
      W::Dropout(W::Linear(name + "_narrow", "y"), options.dropout));
}

std::string AddHstuBlock(ScriptWeights& weights, const std::string& name,
                         int32_t longest,
                         const SequenceEncoderOptions& options) {
  using W = ScriptWeights;
  const int32_t width = options.width;
  weights.AddNorm(name + "_norm1", width);
  weights.AddLinear(name + "_uqkv", width, 4 * width);
  weights.AddNormal(name + "_position_bias", {longest}, kPositionDeviation);
  weights.AddNorm(name + "_norm2", width);
  weights.AddLinear(name + "_out", width, width);
  return absl::Substitute(
      R"(
  def $0(self, x: Tensor, begins: Tensor) -> Tensor:
    uqkv = torch.silu($1)
    y = segue.pointwise_attention(
        uqkv[:, $2:], begins, self.$0_position_bias,
        torch.empty([0]), begins[:0], begins[:0], $3, $4.0)
    y = $5 * uqkv[:, :$2]
    return x + $6
)",
      name, W::Linear(name + "_uqkv", W::Norm(name + "_norm1", "x", width)),
      width, options.heads, longest, W::Norm(name + "_norm2", "y", width),
      W::Linear(name + "_out", W::Dropout("y", options.dropout)));
}

}  // namespace

std::string AddSequenceEncoder(ScriptWeights& weights, int32_t row_width,
                               int32_t longest,
                               const SequenceEncoderOptions& options) {
  using W = ScriptWeights;
  const bool hstu = options.kind == v1::EncoderConfig::HSTU;
  weights.AddLinear("encoder_in", row_width, options.width);
  weights.AddNorm("encoder_in_norm", options.width);
  weights.AddNormal("position", {longest, options.width}, kPositionDeviation);
  std::string code, calls;
  for (int32_t block = 0; block < options.blocks; ++block) {
    const std::string name = absl::StrCat("block", block);
    absl::StrAppend(&code, hstu ? AddHstuBlock(weights, name, longest, options)
                                : AddTransformerBlock(weights, name, options));
    absl::StrAppend(&calls, "    x = self.", name, "(x, begins)\n");
  }
  weights.AddNorm("encoder_norm", options.width);
  return absl::StrCat(
      code,
      "\n  def encode(self, rows: Tensor, positions: Tensor, begins: Tensor)"
      " -> Tensor:\n    x = ",
      W::Dropout(
          absl::StrCat(W::Norm("encoder_in_norm",
                               W::Linear("encoder_in", "rows"), options.width),
                       " + torch.embedding(self.position, positions)"),
          options.dropout),
      "\n", calls, "    return ", W::Norm("encoder_norm", "x", options.width),
      "\n");
}

}  // namespace segue
