#include "core/history/window.h"

#include <algorithm>

namespace segue {

int32_t FillWindow(absl::Span<const int32_t> history, int32_t unknown_row,
                   absl::Span<int32_t> rows, absl::Span<float> mask) {
  std::fill(rows.begin(), rows.end(), kPaddingRow);
  std::fill(mask.begin(), mask.end(), 0.0f);
  const absl::Span<const int32_t> events =
      history.empty() ? absl::MakeConstSpan(&unknown_row, 1) : history;
  const size_t count = std::min(events.size(), rows.size());
  std::copy(events.end() - count, events.end(), rows.end() - count);
  std::fill(mask.end() - count, mask.end(), 1.0f);
  return rows.back();
}

}  // namespace segue
