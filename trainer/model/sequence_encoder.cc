#include "trainer/model/sequence_encoder.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"

namespace segue {
namespace {

// Of position embeddings and biases: small beside what an item says.
constexpr double kPositionDeviation = 0.02;

// Half powers of two of seconds: the last one begins at 68 years.
constexpr int64_t kTimeBuckets = 64;

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

// What methods take besides where there are times, and pass on.
std::string TimeParameters(bool times) {
  return times ? ", times: Tensor, next_times: Tensor" : "";
}
std::string TimeArguments(bool times) {
  return times ? ", times, next_times" : "";
}

// The biases of times begin at 0: a bucket that training never meets says
// nothing.
std::string AddHstuBlock(ScriptWeights& weights, const std::string& name,
                         int32_t longest, bool times,
                         const SequenceEncoderOptions& options) {
  using W = ScriptWeights;
  const int32_t width = options.width;
  weights.AddNorm(name + "_norm1", width);
  weights.AddLinear(name + "_uqkv", width, 4 * width);
  weights.AddNormal(name + "_position_bias", {longest}, kPositionDeviation);
  std::string time_bias = "torch.empty([0]), begins[:0], begins[:0]";
  if (times) {
    weights.AddZeros(name + "_time_bias", {kTimeBuckets});
    time_bias = absl::StrCat("self.", name, "_time_bias", TimeArguments(times));
  }
  weights.AddNorm(name + "_norm2", width);
  weights.AddLinear(name + "_out", width, width);
  return absl::Substitute(
      R"(
  def $0(self, x: Tensor, begins: Tensor$7) -> Tensor:
    uqkv = torch.silu($1)
    y = segue.pointwise_attention(
        uqkv[:, $2:], begins, self.$0_position_bias, $8, $3, $4.0)
    y = $5 * uqkv[:, :$2]
    return x + $6
)",
      name, W::Linear(name + "_uqkv", W::Norm(name + "_norm1", "x", width)),
      width, options.heads, longest, W::Norm(name + "_norm2", "y", width),
      W::Linear(name + "_out", W::Dropout("y", options.dropout)),
      TimeParameters(times), time_bias);
}

}  // namespace

std::string AddSequenceEncoder(ScriptWeights& weights, int32_t row_width,
                               int32_t longest, bool times,
                               const SequenceEncoderOptions& options) {
  using W = ScriptWeights;
  const bool hstu = options.kind == v1::EncoderConfig::HSTU;
  std::string input = "self.item_mlp(rows)";
  if (row_width > 0) {
    weights.AddLinear("encoder_in", row_width, options.width);
    input = W::Linear("encoder_in", "rows");
  }
  // As long as what the blocks add to it, however short rows are.
  weights.AddNorm("encoder_in_norm", options.width);
  weights.AddNormal("position", {longest, options.width}, kPositionDeviation);
  std::string code, calls;
  for (int32_t block = 0; block < options.blocks; ++block) {
    const std::string name = absl::StrCat("block", block);
    absl::StrAppend(&code,
                    hstu ? AddHstuBlock(weights, name, longest, times, options)
                         : AddTransformerBlock(weights, name, options));
    absl::StrAppend(&calls, "    x = self.", name, "(x, begins",
                    TimeArguments(times), ")\n");
  }
  weights.AddNorm("encoder_norm", options.width);
  // Not position[positions]: threads add up that one's gradient in any order.
  return absl::StrCat(
      code,
      "\n  def encode(self, rows: Tensor, positions: Tensor, begins: Tensor",
      TimeParameters(times), ") -> Tensor:\n    x = ",
      W::Dropout(absl::StrCat(W::Norm("encoder_in_norm", input, options.width),
                              " + torch.embedding(self.position, positions)"),
                 options.dropout),
      "\n", calls, "    return ", W::Norm("encoder_norm", "x", options.width),
      "\n");
}

}  // namespace segue
