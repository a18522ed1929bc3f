// The operators that towers are written with: torch.ops.segue.*, attention,
// dropout, linear layers and what stands before and behind them. A tower that
// uses them loads only where RegisterAttention() was called.
//
// Sequences of attention are packed: [tokens, ...] rows, of which sequence s
// has those from begins[s] to begins[s + 1]. A token sees itself and those
// before it in its sequence.
#ifndef SEGUE_CORE_TOWERS_ATTENTION_H_
#define SEGUE_CORE_TOWERS_ATTENTION_H_

#include <torch/csrc/jit/frontend/resolver.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>

namespace segue {

// Makes the operators known to TorchScript. Any number of times, from any
// thread.
void RegisterAttention();

// For Module::define(): what LibTorch's own resolver knows, and `segue` as the
// module of the operators. Registers them.
std::shared_ptr<torch::jit::Resolver> AttentionResolver();

namespace attention {

// Whether what an operator makes of these has to know its gradient.
template <typename... Tensors>
bool WantGradient(const Tensors&... inputs) {
  return torch::GradMode::is_enabled() && (inputs.requires_grad() || ...);
}

// torch.ops.segue.softmax_attention. `qkv` [tokens, 3 * heads * width] holds
// queries, keys and values side by side; `begins` [sequences + 1] longs. Gives
// [tokens, heads * width]. A share `dropout` of the weights is dropped, by the
// seed alone. Softmax of q k / sqrt(width) (Vaswani et al. 2017, 3.2).
torch::Tensor SoftmaxOperator(const torch::Tensor& qkv,
                              const torch::Tensor& begins, int64_t heads,
                              double dropout, int64_t seed);

// torch.ops.segue.dropout: as torch.dropout, which draws its mask one number
// after the other. The mask is a function of one number from torch's generator,
// for any number of threads.
torch::Tensor DropoutOperator(const torch::Tensor& x, double share,
                              bool training);

// torch.ops.segue.linear: x [rows, in] weight^T + bias, weight [out, in] floats
// or halves; with `relu`, what is below 0 becomes 0. Up to 32 rows (128 of
// halves), and where no gradient is asked for, by FewRowsLinear(): a row's
// result does not depend on the others then.
torch::Tensor LinearOperator(const torch::Tensor& x,
                             const torch::Tensor& weight,
                             const torch::Tensor& bias, bool relu);

// torch.ops.segue.mean_query: what the layers of a query tower of the mean
// take. user [b, u], the mean of the rows of history [b, n, f] whose mask
// [b, n] is 1 (of none: 0), seed [b, f], age [b], side by side: [b, u + 2 f +
// 1].
torch::Tensor MeanQueryOperator(const torch::Tensor& user,
                                const torch::Tensor& history,
                                const torch::Tensor& mask,
                                const torch::Tensor& seed,
                                const torch::Tensor& age);

// torch.ops.segue.unit: x [rows, d], each row by its length; of nothing:
// nothing.
torch::Tensor UnitOperator(const torch::Tensor& x);

// torch.ops.segue.pointwise_attention: weights silu(q k + p + t) / normaliser
// (HSTU, Zhai et al. 2024, arXiv 2402.17152, 3.2), where p is position_bias by
// how many tokens back the key lies (those further back than the last share it)
// and t time_bias by how long before `next_times` of the query it happened,
// in half powers of two of seconds; empty: no times.
torch::Tensor PointwiseOperator(const torch::Tensor& qkv,
                                const torch::Tensor& begins,
                                const torch::Tensor& position_bias,
                                const torch::Tensor& time_bias,
                                const torch::Tensor& times,
                                const torch::Tensor& next_times, int64_t heads,
                                double normaliser);

}  // namespace attention
}  // namespace segue

#endif  // SEGUE_CORE_TOWERS_ATTENTION_H_
