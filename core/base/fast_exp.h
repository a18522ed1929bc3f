// An exponential that compilers turn into vector code, and what a softmax makes
// of it. (core/base/vectorised.h)
#ifndef SEGUE_CORE_BASE_FAST_EXP_H_
#define SEGUE_CORE_BASE_FAST_EXP_H_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <numeric>

namespace segue {

// e^x for x <= 0 to 2e-7, 0 below e^-87; loops over it vectorise, which those
// over std::exp do not. (Cephes' polynomial for expf.)
inline float ExpOfNegative(float given) {
  const float x = std::max(given, -87.0f);
  const float t = x * 1.44269504f;
  const float rounded = (t + 12582912.0f) - 12582912.0f;
  const float r = x - rounded * 0.693359375f + rounded * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const int32_t exponent = (static_cast<int32_t>(rounded) + 127) << 23;
  float power;
  std::memcpy(&power, &exponent, sizeof(power));
  return given < -87.0f ? 0.0f : p * power;
}

// The highest of the values, at least one.
inline float Highest(const float* values, int64_t count) {
  // Eight at a time, as vectors are: an order that compilers may not choose.
  float highest[8];
  std::fill(highest, highest + 8, values[0]);
  int64_t c = 0;
  for (; c + 8 <= count; c += 8) {
    for (int i = 0; i < 8; ++i) {
      highest[i] = values[c + i] > highest[i] ? values[c + i] : highest[i];
    }
  }
  for (; c < count; ++c) highest[0] = std::max(highest[0], values[c]);
  return *std::max_element(highest, highest + 8);
}

// values[c] = e^(values[c] - highest); returns their sum.
inline float Exponentials(float* values, int64_t count, float highest) {
  float sums[8] = {};
  int64_t c = 0;
  for (; c + 8 <= count; c += 8) {
    for (int i = 0; i < 8; ++i) {
      values[c + i] = ExpOfNegative(values[c + i] - highest);
      sums[i] += values[c + i];
    }
  }
  for (; c < count; ++c) {
    values[c] = ExpOfNegative(values[c] - highest);
    sums[0] += values[c];
  }
  return std::accumulate(sums, sums + 8, 0.0f);
}

}  // namespace segue

#endif  // SEGUE_CORE_BASE_FAST_EXP_H_
