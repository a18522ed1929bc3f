// Which values are dropped: a function of the seed and of their place.
// Private to the operators of towers.
#ifndef SEGUE_CORE_TOWERS_DROPOUT_H_
#define SEGUE_CORE_TOWERS_DROPOUT_H_

#include <cstdint>

namespace segue::attention {

// The same for the same place, so that nothing has to be kept between forward
// and backward, and the number of threads does not matter. A value.
struct Dropout {
  float probability = 0;
  uint64_t seed = 0;

  // values[j] *= 0 or 1 / (1 - probability).
  void Apply(uint64_t row, int64_t count, float* values) const {
    if (probability <= 0) return;
    // A key a row, then 32 bits a value: multiplications of 64 do not
    // vectorise.
    uint64_t key = (seed + row) * 0x9E3779B97F4A7C15u;
    key = (key ^ (key >> 32)) * 0xD6E8FEB86659FD93u;
    key ^= key >> 32;
    key *= 0xD6E8FEB86659FD93u;
    const auto low = static_cast<uint32_t>(key);
    const auto high = static_cast<uint32_t>(key >> 32);
    // Compared as signed numbers, which AVX2 can.
    const auto threshold = static_cast<int32_t>(
        static_cast<int64_t>(probability * 4294967296.0) - 2147483648);
    const float scale = 1 / (1 - probability);
    for (int64_t j = 0; j < count; ++j) {
      uint32_t z = (static_cast<uint32_t>(j) + low) * 0x9E3779B1u;
      z = ((z ^ (z >> 15)) + high) * 0x85EBCA77u;
      z = (z ^ (z >> 13)) * 0xC2B2AE3Du;
      z ^= z >> 16;
      values[j] *= static_cast<int32_t>(z) < threshold ? 0.0f : scale;
    }
  }
};

}  // namespace segue::attention

#endif  // SEGUE_CORE_TOWERS_DROPOUT_H_
