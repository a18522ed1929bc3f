// The window of a history: the one definition of what the query tower sees, for
// training, evaluation and serving.
#ifndef SEGUE_CORE_HISTORY_WINDOW_H_
#define SEGUE_CORE_HISTORY_WINDOW_H_

#include <algorithm>
#include <cstdint>

#include "absl/types/span.h"

namespace segue {

// Row of a position that holds no event; its mask is 0.
inline constexpr int32_t kPaddingRow = -1;

// Writes the newest rows of `history` (item rows, oldest first) into `rows` and
// their mask (1 an event, 0 padding) into `mask`; both have the window's length
// n >= 1. The newest event stands last, padding first. An empty history is one
// `unknown_row`. Returns the newest row: the default seed item.
int32_t FillWindow(absl::Span<const int32_t> history, int32_t unknown_row,
                   absl::Span<int32_t> rows, absl::Span<float> mask);

// The same for the times of the events, in seconds: `out` has the window's
// length. Places without an event, and all where `times` is empty because they
// are not known, get `now`.
template <typename Time>
void FillWindowTimes(absl::Span<const Time> times, int64_t now,
                     absl::Span<int64_t> out) {
  std::fill(out.begin(), out.end(), now);
  const size_t count = std::min(times.size(), out.size());
  std::copy(times.end() - count, times.end(), out.end() - count);
}

}  // namespace segue

#endif  // SEGUE_CORE_HISTORY_WINDOW_H_
