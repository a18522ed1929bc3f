// A part of many rows that stands for all of them.
#ifndef SEGUE_CORE_INDEX_BUILD_SPREAD_ROWS_H_
#define SEGUE_CORE_INDEX_BUILD_SPREAD_ROWS_H_

#include <algorithm>
#include <cstdint>
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

}  // namespace segue

#endif  // SEGUE_CORE_INDEX_BUILD_SPREAD_ROWS_H_
