#include "core/metrics/overlap.h"

#include <algorithm>
#include <vector>

namespace segue {

double OverlapAtK(absl::Span<const int32_t> expected,
                  absl::Span<const int32_t> found, int32_t k) {
  const size_t limit = static_cast<size_t>(std::max(k, 0));
  expected = expected.subspan(0, std::min(expected.size(), limit));
  found = found.subspan(0, std::min(found.size(), limit));
  if (expected.empty()) return 1;
  std::vector<int32_t> sorted(found.begin(), found.end());
  std::sort(sorted.begin(), sorted.end());
  int64_t shared = 0;
  for (int32_t row : expected) {
    shared += std::binary_search(sorted.begin(), sorted.end(), row);
  }
  return static_cast<double>(shared) / static_cast<double>(expected.size());
}

}  // namespace segue
