#include "core/towers/few_rows_linear.h"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "core/base/vectorised.h"

namespace segue {
namespace {

// Eight floats; two vectors where the processor has no such registers.
using Lanes = float __attribute__((vector_size(32)));
constexpr int64_t kLanes = 8;

// Outputs are taken by so many. Sixteen registers hold the sums of twelve pairs
// of a row and an output, and what they are made of: four rows meet three
// outputs at a time, two rows six.
constexpr int kOutputs = 12;
// Of a single row, which waits for memory: more weights at a time come slower.
constexpr int kOutputsOfOne = 4;

void Load(const float* from, Lanes& lanes) {
  std::memcpy(&lanes, from, sizeof(lanes));
}

float AsFloat(float value) { return value; }

#if defined(__x86_64__)

// Inlined where Vectorised() has compiled their callers for the same processor.
__attribute__((target(SEGUE_VECTOR_TARGET))) inline void Load(const Half* from,
                                                              Lanes& lanes) {
  __m128i halves;
  std::memcpy(&halves, from, sizeof(halves));
  const __m256 floats = _mm256_cvtph_ps(halves);
  std::memcpy(&lanes, &floats, sizeof(lanes));
}

__attribute__((target(SEGUE_VECTOR_TARGET))) inline float AsFloat(Half value) {
  return _cvtsh_ss(value.bits);
}

#else

// Never called: HasFastHalves() is false.
void Load(const Half*, Lanes&) {}
float AsFloat(Half) { return 0; }

#endif

float Sum(const Lanes& lanes) {
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
         ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

template <typename Weight>
struct Layer {
  const float* x;
  const Weight* weight;
  const float* bias;
  int64_t in, out;
  bool relu;
  float* y;
};

// Rows [row, row + kRows) by outputs [first, first + kOuts).
template <int kRows, int kOuts, typename Weight>
inline void Tile(const Layer<Weight>& layer, int64_t row, int64_t first) {
  const float* x = layer.x + row * layer.in;
  const Weight* weight = layer.weight + first * layer.in;
  Lanes sums[kOuts][kRows] = {};
  int64_t i = 0;
  for (; i + kLanes <= layer.in; i += kLanes) {
    // The fewer ones are kept, the others pass by.
    if constexpr (kOuts < kRows) {
      Lanes w[kOuts], values;
#pragma GCC unroll 12
      for (int o = 0; o < kOuts; ++o) Load(weight + o * layer.in + i, w[o]);
#pragma GCC unroll 12
      for (int r = 0; r < kRows; ++r) {
        Load(x + r * layer.in + i, values);
#pragma GCC unroll 12
        for (int o = 0; o < kOuts; ++o) sums[o][r] += w[o] * values;
      }
    } else {
      Lanes w, values[kRows];
#pragma GCC unroll 12
      for (int r = 0; r < kRows; ++r) Load(x + r * layer.in + i, values[r]);
#pragma GCC unroll 12
      for (int o = 0; o < kOuts; ++o) {
        Load(weight + o * layer.in + i, w);
#pragma GCC unroll 12
        for (int r = 0; r < kRows; ++r) sums[o][r] += w * values[r];
      }
    }
  }
#pragma GCC unroll 12
  for (int o = 0; o < kOuts; ++o) {
#pragma GCC unroll 12
    for (int r = 0; r < kRows; ++r) {
      float sum = Sum(sums[o][r]);
      for (int64_t rest = i; rest < layer.in; ++rest) {
        sum += AsFloat(weight[o * layer.in + rest]) * x[r * layer.in + rest];
      }
      sum += layer.bias[first + o];
      layer.y[(row + r) * layer.out + first + o] =
          layer.relu ? std::max(sum, 0.0f) : sum;
    }
  }
}

// Rows [row, row + kRows) by outputs [first, first + kCount).
template <int kRows, int kCount, typename Weight>
inline void Rows(const Layer<Weight>& layer, int64_t row, int64_t first) {
  constexpr int kOuts =
      std::min(std::max(kCount / kRows, 1), kRows > 1 ? kCount : kOutputsOfOne);
  for (int out = 0; out < kCount; out += kOuts) {
    Tile<kRows, kOuts>(layer, row, first + out);
  }
}

template <int kCount, typename Weight>
inline void AllRows(const Layer<Weight>& layer, int64_t rows, int64_t first) {
  int64_t row = 0;
  for (; row + 4 <= rows; row += 4) Rows<4, kCount>(layer, row, first);
  switch (rows - row) {
    case 3:
      return Rows<3, kCount>(layer, row, first);
    case 2:
      return Rows<2, kCount>(layer, row, first);
    case 1:
      return Rows<1, kCount>(layer, row, first);
    default:
      return;
  }
}

template <typename Weight>
void Multiply(const Layer<Weight>& layer, int64_t rows) {
  Vectorised([&] {
    int64_t first = 0;
    for (; first + kOutputs <= layer.out; first += kOutputs) {
      AllRows<kOutputs>(layer, rows, first);
    }
    for (; first < layer.out; ++first) AllRows<1>(layer, rows, first);
  });
}

}  // namespace

bool HasFastHalves() { return HasVectorTarget(); }

void FewRowsLinear(const float* x, int64_t rows, const float* weight,
                   const float* bias, int64_t in, int64_t out, bool relu,
                   float* y) {
  Multiply<float>({x, weight, bias, in, out, relu, y}, rows);
}

void FewRowsLinear(const float* x, int64_t rows, const Half* weight,
                   const float* bias, int64_t in, int64_t out, bool relu,
                   float* y) {
  Multiply<Half>({x, weight, bias, in, out, relu, y}, rows);
}

}  // namespace segue
