// Attention over packed sequences: rows of tokens of which sequence s has those
// from begins[s] to begins[s + 1]. No padding is there, so none is computed.
// Private to the attention operators.
#ifndef SEGUE_CORE_TOWERS_PACKED_HEADS_H_
#define SEGUE_CORE_TOWERS_PACKED_HEADS_H_

#include <torch/types.h>

#include <algorithm>
#include <cstdint>

namespace segue::attention {

using torch::Tensor;

// Queries that are scored together: what lies above the diagonal of a block is
// computed and thrown away.
inline constexpr int64_t kBlock = 64;
// Parts that the pairs of sequence and head are dealt into, whatever the number
// of threads: sums over pairs have one order.
inline constexpr int64_t kParts = 32;

// A row-major matrix within a larger one.
template <typename T>
struct Matrix {
  T* data;
  int64_t rows, columns, stride;
  T* Row(int64_t i) const { return data + i * stride; }
  Matrix Rows(int64_t begin, int64_t count) const {
    return {data + begin * stride, count, columns, stride};
  }
};
using In = Matrix<const float>;
using Out = Matrix<float>;
inline In Const(const Out& m) { return {m.data, m.rows, m.columns, m.stride}; }

// c = alpha op(a) op(b) + beta c.
void Gemm(bool transpose_a, bool transpose_b, float alpha, const In& a,
          const In& b, float beta, const Out& c);

// Of a gradient, whose places are found as those of what it is of.
inline Out Writable(const In& m) {
  return {const_cast<float*>(m.data), m.rows, m.columns, m.stride};
}

// One head of one sequence.
struct Head {
  In q, k, v;
  int64_t first_token, number;
};

// What is common to forward and backward of a call.
struct Call {
  Call(const Tensor& qkv, const Tensor& begins, int64_t heads)
      : data(qkv.data_ptr<float>()),
        offsets(begins.data_ptr<int64_t>()),
        heads(heads),
        width(qkv.size(1) / (3 * heads)),
        tokens(qkv.size(0)),
        pairs((begins.size(0) - 1) * heads) {}

  int64_t Length(int64_t pair) const {
    return offsets[pair / heads + 1] - offsets[pair / heads];
  }
  Head At(int64_t pair) const {
    const int64_t first = offsets[pair / heads], head = pair % heads;
    const int64_t length = Length(pair), stride = 3 * heads * width;
    const float* row = data + first * stride + head * width;
    return {{row, length, width, stride},
            {row + heads * width, length, width, stride},
            {row + 2 * heads * width, length, width, stride},
            first,
            head};
  }
  // The head's part of [tokens, heads * width].
  template <typename T>
  Matrix<T> Part(T* all, const Head& head) const {
    const int64_t stride = heads * width;
    return {all + head.first_token * stride + head.number * width, head.q.rows,
            width, stride};
  }
  int64_t LongestSequence() const {
    int64_t longest = 0;
    for (int64_t p = 0; p < pairs; p += heads) {
      longest = std::max(longest, Length(p));
    }
    return longest;
  }

  const float* data;
  const int64_t* offsets;
  const int64_t heads, width, tokens, pairs;
};

// Calls work(part, pair) for each pair, the parts spread over the threads.
template <typename Work>
void ForEachPair(const Call& call, const Work& work) {
#pragma omp parallel for schedule(dynamic, 1)
  for (int64_t part = 0; part < kParts; ++part) {
    for (int64_t pair = part; pair < call.pairs; pair += kParts) {
      if (call.Length(pair) > 0) work(part, pair);
    }
  }
}

// One head's [kBlock, seen] scores, block by block: work(first, rows, seen).
template <typename Work>
void ForEachBlock(int64_t length, const Work& work) {
  for (int64_t first = 0; first < length; first += kBlock) {
    const int64_t rows = std::min(kBlock, length - first);
    work(first, rows, first + rows);
  }
}

// Throws if the tensors are no call.
void CheckCall(const Tensor& qkv, const Tensor& begins, int64_t heads);

}  // namespace segue::attention

#endif  // SEGUE_CORE_TOWERS_PACKED_HEADS_H_
