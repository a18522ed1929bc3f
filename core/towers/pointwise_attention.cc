// Pointwise attention of HSTU (Zhai et al. 2024, arXiv 2402.17152, 3.2), over
// packed sequences: no softmax, so that how often something was heard counts.
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "core/base/fast_exp.h"
#include "core/towers/attention.h"
#include "core/towers/packed_heads.h"

namespace segue::attention {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// What is added to a score by how far back its key lies.
struct Biases {
  const float* position;
  int64_t positions;
  const float* time;  // null: none
  int64_t buckets;
  const int64_t* times;
  const int64_t* next_times;

  int64_t Position(int64_t back) const { return std::min(back, positions - 1); }
  // The exponent and the first bit of the fraction: 2 log2, roughly.
  int64_t Bucket(int64_t query, int64_t key) const {
    const int64_t seconds = next_times[query] - times[key];
    if (seconds < 1) return 0;
    const auto value = static_cast<float>(seconds);
    int32_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    return std::min<int64_t>((bits >> 22) - 2 * 127 + 1, buckets - 1);
  }

  void AddTo(const Out& scores, const Head& head, int64_t first) const {
    for (int64_t r = 0; r < scores.rows; ++r) {
      float* row = scores.Row(r);
      const int64_t i = first + r;
      for (int64_t j = 0; j <= i; ++j) row[j] += position[Position(i - j)];
      if (time == nullptr) continue;
      for (int64_t j = 0; j <= i; ++j) {
        row[j] += time[Bucket(head.first_token + i, head.first_token + j)];
      }
    }
  }
  // Adds the scores' gradients up by bias.
  void AddGradients(const Out& scores, const Head& head, int64_t first,
                    float* to_position, float* to_time) const {
    for (int64_t r = 0; r < scores.rows; ++r) {
      const float* row = scores.Row(r);
      const int64_t i = first + r;
      for (int64_t j = 0; j <= i; ++j) to_position[Position(i - j)] += row[j];
      if (time == nullptr) continue;
      for (int64_t j = 0; j <= i; ++j) {
        to_time[Bucket(head.first_token + i, head.first_token + j)] += row[j];
      }
    }
  }
};

inline float Sigmoid(float x) {
  const float e = ExpOfNegative(x < 0 ? x : -x);
  const float s = 1 / (1 + e);
  return x < 0 ? e * s : s;
}

void Forward(const Call& call, const Biases& biases, float scale, float* out) {
  const int64_t longest = call.LongestSequence();
  ForEachPair(call, [&](int64_t, int64_t pair) {
    thread_local std::vector<float> scratch;
    scratch.resize(kBlock * longest);
    const Head head = call.At(pair);
    const Out result = call.Part(out, head);
    ForEachBlock(head.q.rows, [&](int64_t first, int64_t rows, int64_t seen) {
      const Out weights{scratch.data(), rows, seen, seen};
      Gemm(false, true, 1, head.q.Rows(first, rows), head.k.Rows(0, seen), 0,
           weights);
      biases.AddTo(weights, head, first);
      for (int64_t r = 0; r < rows; ++r) {
        float* row = weights.Row(r);
        const int64_t count = first + r + 1;
        for (int64_t j = 0; j < count; ++j) {
          row[j] *= Sigmoid(row[j]) * scale;
        }
        std::fill(row + count, row + seen, 0.0f);
      }
      Gemm(false, false, 1, Const(weights), head.v.Rows(0, seen), 0,
           result.Rows(first, rows));
    });
  });
}

void Backward(const Call& call, const Biases& biases, float scale,
              const float* grad_out, float* grad_qkv, float* grad_position,
              float* grad_time) {
  const int64_t longest = call.LongestSequence();
  Call grad_call = call;
  grad_call.data = grad_qkv;
  // One sum of biases a part; they are added up in order.
  const int64_t wide = biases.positions + biases.buckets;
  std::vector<float> sums(kParts * wide);
  ForEachPair(call, [&](int64_t part, int64_t pair) {
    thread_local std::vector<float> scratch;
    scratch.resize(2 * kBlock * longest);
    const Head head = call.At(pair), grads = grad_call.At(pair);
    const Out dq = Writable(grads.q), dk = Writable(grads.k),
              dv = Writable(grads.v);
    const In g = call.Part(grad_out, head);
    float* part_sums = &sums[part * wide];
    ForEachBlock(head.q.rows, [&](int64_t first, int64_t rows, int64_t seen) {
      const Out weights{scratch.data(), rows, seen, seen};
      const Out scores{scratch.data() + kBlock * longest, rows, seen, seen};
      Gemm(false, true, 1, head.q.Rows(first, rows), head.k.Rows(0, seen), 0,
           weights);
      biases.AddTo(weights, head, first);
      // d loss / d weights
      Gemm(false, true, 1, g.Rows(first, rows), head.v.Rows(0, seen), 0,
           scores);
      for (int64_t r = 0; r < rows; ++r) {
        float *w = weights.Row(r), *s = scores.Row(r);
        const int64_t count = first + r + 1;
        for (int64_t j = 0; j < count; ++j) {
          const float x = w[j], sigmoid = Sigmoid(x);
          s[j] *= scale * sigmoid * (1 + x * (1 - sigmoid));
          w[j] = scale * x * sigmoid;
        }
        std::fill(w + count, w + seen, 0.0f);
        std::fill(s + count, s + seen, 0.0f);
      }
      biases.AddGradients(scores, head, first, part_sums,
                          part_sums + biases.positions);
      Gemm(true, false, 1, Const(weights), g.Rows(first, rows), 1,
           dv.Rows(0, seen));
      Gemm(false, false, 1, Const(scores), head.k.Rows(0, seen), 1,
           dq.Rows(first, rows));
      Gemm(true, false, 1, Const(scores), head.q.Rows(first, rows), 1,
           dk.Rows(0, seen));
    });
  });
  for (int64_t part = 0; part < kParts; ++part) {
    const float* from = &sums[part * wide];
    for (int64_t i = 0; i < biases.positions; ++i) grad_position[i] += from[i];
    for (int64_t i = 0; i < biases.buckets; ++i) {
      grad_time[i] += from[biases.positions + i];
    }
  }
}

Biases BiasesOf(const Tensor& position, const Tensor& time, const Tensor& times,
                const Tensor& next_times) {
  const bool timed = time.numel() > 0;
  return {position.data_ptr<float>(),
          position.numel(),
          timed ? time.data_ptr<float>() : nullptr,
          time.numel(),
          timed ? times.data_ptr<int64_t>() : nullptr,
          timed ? next_times.data_ptr<int64_t>() : nullptr};
}

class PointwiseAttention
    : public torch::autograd::Function<PointwiseAttention> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& qkv,
                        const Tensor& begins, const Tensor& position,
                        const Tensor& time, const Tensor& times,
                        const Tensor& next_times, int64_t heads,
                        double normaliser) {
    CheckCall(qkv, begins, heads);
    TORCH_CHECK(position.numel() > 0 && position.scalar_type() == torch::kFloat,
                "attention: position_bias must hold floats");
    TORCH_CHECK(time.numel() == 0 || (times.numel() == qkv.size(0) &&
                                      next_times.numel() == qkv.size(0) &&
                                      times.scalar_type() == torch::kLong &&
                                      next_times.scalar_type() == torch::kLong),
                "attention: times and next_times must be [tokens] longs");
    const Call call(qkv, begins, heads);
    Tensor out = torch::empty({call.tokens, heads * call.width});
    Forward(call, BiasesOf(position, time, times, next_times),
            static_cast<float>(1 / normaliser), out.data_ptr<float>());
    context->save_for_backward(
        {qkv, begins, position, time, times, next_times});
    context->saved_data["heads"] = heads;
    context->saved_data["normaliser"] = normaliser;
    return out;
  }

  static variable_list backward(AutogradContext* context,
                                const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    const Call call(saved[0], saved[1], context->saved_data["heads"].toInt());
    const Tensor grad = grads[0].contiguous();
    Tensor qkv = torch::zeros_like(saved[0]);
    Tensor position = torch::zeros_like(saved[2]);
    Tensor time = torch::zeros_like(saved[3]);
    Backward(
        call, BiasesOf(saved[2], saved[3], saved[4], saved[5]),
        static_cast<float>(1 / context->saved_data["normaliser"].toDouble()),
        grad.data_ptr<float>(), qkv.data_ptr<float>(),
        position.data_ptr<float>(), time.data_ptr<float>());
    return {qkv,      Tensor(), position, time,
            Tensor(), Tensor(), Tensor(), Tensor()};
  }
};

}  // namespace

Tensor PointwiseOperator(const Tensor& qkv, const Tensor& begins,
                         const Tensor& position_bias, const Tensor& time_bias,
                         const Tensor& times, const Tensor& next_times,
                         int64_t heads, double normaliser) {
  return PointwiseAttention::apply(qkv.contiguous(), begins.contiguous(),
                                   position_bias.contiguous(),
                                   time_bias.contiguous(), times.contiguous(),
                                   next_times.contiguous(), heads, normaliser);
}

}  // namespace segue::attention
