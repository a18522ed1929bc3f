// An exponential that compilers turn into vector code.
#ifndef SEGUE_CORE_BASE_FAST_EXP_H_
#define SEGUE_CORE_BASE_FAST_EXP_H_

#include <algorithm>
#include <cstdint>
#include <cstring>

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

}  // namespace segue

#endif  // SEGUE_CORE_BASE_FAST_EXP_H_
