// A part of many rows that stands for all of them, spread or drawn.
#ifndef SEGUE_CORE_INDEX_BUILD_SPREAD_ROWS_H_
#define SEGUE_CORE_INDEX_BUILD_SPREAD_ROWS_H_

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "absl/types/span.h"

namespace segue {

// At most `most` of the rows [n, dimension], evenly spaced.
inline std::vector<float> SpreadRows(absl::Span<const float> from,
                                     int32_t dimension, int64_t most) {
  const int64_t rows = static_cast<int64_t>(from.size()) / dimension;
  const int64_t count = std::min(rows, most);
  std::vector<float> chosen;
  chosen.reserve(count * dimension);
  for (int64_t i = 0; i < count; ++i) {
    const float* row = from.data() + i * rows / count * dimension;
    chosen.insert(chosen.end(), row, row + dimension);
  }
  return chosen;
}

// `count` of the rows [0, rows), each as likely, ascending (Knuth's selection
// sampling). Without std:: distributions, which differ between libraries.
inline std::vector<int32_t> DrawRows(int64_t rows, int64_t count,
                                     uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<int32_t> drawn;
  drawn.reserve(count);
  int64_t missing = count;
  for (int64_t row = 0; row < rows && missing > 0; ++row) {
    if (static_cast<int64_t>(random() % (rows - row)) >= missing) continue;
    drawn.push_back(static_cast<int32_t>(row));
    --missing;
  }
  return drawn;
}

}  // namespace segue

#endif  // SEGUE_CORE_INDEX_BUILD_SPREAD_ROWS_H_
