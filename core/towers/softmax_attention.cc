// Scaled dot-product attention with a causal mask (Vaswani et al. 2017, 3.2),
// over packed sequences.
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <vector>

#include "core/base/fast_exp.h"
#include "core/base/vectorised.h"
#include "core/towers/attention.h"
#include "core/towers/dropout.h"
#include "core/towers/packed_heads.h"

namespace segue::attention {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Turns scores of queries [first, first + rows) into weights; what is above the
// diagonal becomes 0. Writes the log of each row's sum.
void ToWeights(const Out& scores, int64_t first, float* log_sums,
               int64_t step) {
  for (int64_t r = 0; r < scores.rows; ++r) {
    float* row = scores.Row(r);
    const int64_t seen = first + r + 1;
    const float highest = Highest(row, seen);
    const float sum = Exponentials(row, seen, highest);
    const float inverse = 1 / sum;
    for (int64_t j = 0; j < seen; ++j) row[j] *= inverse;
    std::fill(row + seen, row + scores.columns, 0.0f);
    log_sums[r * step] = highest + std::log(sum);
  }
}

// The weights again, from the log of the sums.
void ToWeightsAgain(const Out& scores, int64_t first, const float* log_sums,
                    int64_t step) {
  for (int64_t r = 0; r < scores.rows; ++r) {
    float* row = scores.Row(r);
    const int64_t seen = first + r + 1;
    const float log_sum = log_sums[r * step];
    for (int64_t j = 0; j < seen; ++j) {
      row[j] = ExpOfNegative(std::min(row[j] - log_sum, 0.0f));
    }
    std::fill(row + seen, row + scores.columns, 0.0f);
  }
}

void Forward(const Call& call, const Dropout& dropout, float* out,
             float* log_sums) {
  const int64_t longest = call.LongestSequence();
  const float scale = 1 / std::sqrt(static_cast<float>(call.width));
  ForEachPair(call, [&](int64_t, int64_t pair) {
    thread_local std::vector<float> scratch;
    scratch.resize(kBlock * longest);
    const Head head = call.At(pair);
    const Out result = call.Part(out, head);
    ForEachBlock(head.q.rows, [&](int64_t first, int64_t rows, int64_t seen) {
      const Out weights{scratch.data(), rows, seen, seen};
      Gemm(false, true, scale, head.q.Rows(first, rows), head.k.Rows(0, seen),
           0, weights);
      const int64_t token = head.first_token + first;
      Vectorised([&] {
        ToWeights(weights, first, log_sums + token * call.heads + head.number,
                  call.heads);
        for (int64_t r = 0; r < rows; ++r) {
          dropout.Apply((token + r) * call.heads + head.number, first + r + 1,
                        weights.Row(r));
        }
      });
      Gemm(false, false, 1, Const(weights), head.v.Rows(0, seen), 0,
           result.Rows(first, rows));
    });
  });
}

void Backward(const Call& call, const Dropout& dropout, const float* out,
              const float* log_sums, const float* grad_out, float* grad_qkv) {
  const int64_t longest = call.LongestSequence();
  const float scale = 1 / std::sqrt(static_cast<float>(call.width));
  Call grad_call = call;
  grad_call.data = grad_qkv;
  ForEachPair(call, [&](int64_t, int64_t pair) {
    thread_local std::vector<float> scratch;
    scratch.resize(3 * kBlock * longest);
    const Head head = call.At(pair), grads = grad_call.At(pair);
    const Out dq = Writable(grads.q), dk = Writable(grads.k),
              dv = Writable(grads.v);
    const In result = call.Part(out, head), g = call.Part(grad_out, head);
    ForEachBlock(head.q.rows, [&](int64_t first, int64_t rows, int64_t seen) {
      const Out weights{scratch.data(), rows, seen, seen};
      const Out dropped{scratch.data() + kBlock * longest, rows, seen, seen};
      const Out scores{scratch.data() + 2 * kBlock * longest, rows, seen, seen};
      const int64_t token = head.first_token + first;
      Gemm(false, true, scale, head.q.Rows(first, rows), head.k.Rows(0, seen),
           0, weights);
      // d loss / d (dropped weights)
      Gemm(false, true, 1, g.Rows(first, rows), head.v.Rows(0, seen), 0,
           scores);
      Vectorised([&] {
        ToWeightsAgain(weights, first,
                       log_sums + token * call.heads + head.number, call.heads);
        std::copy(weights.data, weights.data + rows * seen, dropped.data);
        for (int64_t r = 0; r < rows; ++r) {
          const int64_t count = first + r + 1;
          const uint64_t place = (token + r) * call.heads + head.number;
          dropout.Apply(place, count, dropped.Row(r));
          dropout.Apply(place, count, scores.Row(r));
          const float *gr = g.Row(first + r), *o = result.Row(first + r);
          float delta = 0;
          for (int64_t j = 0; j < call.width; ++j) delta += gr[j] * o[j];
          float* s = scores.Row(r);
          const float* w = weights.Row(r);
          // What is above the diagonal has no weight.
          for (int64_t j = 0; j < seen; ++j) s[j] = w[j] * (s[j] - delta);
        }
      });
      Gemm(true, false, 1, Const(dropped), g.Rows(first, rows), 1,
           dv.Rows(0, seen));
      Gemm(false, false, scale, Const(scores), head.k.Rows(0, seen), 1,
           dq.Rows(first, rows));
      Gemm(true, false, scale, Const(scores), head.q.Rows(first, rows), 1,
           dk.Rows(0, seen));
    });
  });
}

class SoftmaxAttention : public torch::autograd::Function<SoftmaxAttention> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& qkv,
                        const Tensor& begins, int64_t heads, double dropout,
                        int64_t seed) {
    CheckCall(qkv, begins, heads);
    const Call call(qkv, begins, heads);
    Tensor out = torch::empty({call.tokens, heads * call.width});
    Tensor log_sums = torch::empty({call.tokens, heads});
    Forward(call, {static_cast<float>(dropout), static_cast<uint64_t>(seed)},
            out.data_ptr<float>(), log_sums.data_ptr<float>());
    context->save_for_backward({qkv, begins, out, log_sums});
    context->saved_data["heads"] = heads;
    context->saved_data["dropout"] = dropout;
    context->saved_data["seed"] = seed;
    return out;
  }

  static variable_list backward(AutogradContext* context,
                                const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    const Call call(saved[0], saved[1], context->saved_data["heads"].toInt());
    const Tensor grad = grads[0].contiguous();
    Tensor result = torch::zeros_like(saved[0]);
    Backward(call,
             {static_cast<float>(context->saved_data["dropout"].toDouble()),
              static_cast<uint64_t>(context->saved_data["seed"].toInt())},
             saved[2].data_ptr<float>(), saved[3].data_ptr<float>(),
             grad.data_ptr<float>(), result.data_ptr<float>());
    return {result, Tensor(), Tensor(), Tensor(), Tensor()};
  }
};

}  // namespace

Tensor SoftmaxOperator(const Tensor& qkv, const Tensor& begins, int64_t heads,
                       double dropout, int64_t seed) {
  return SoftmaxAttention::apply(qkv.contiguous(), begins.contiguous(), heads,
                                 dropout, seed);
}

}  // namespace segue::attention
