// The window of a history: the one definition of what the query tower sees, for
// training, evaluation and serving.
#ifndef SEGUE_CORE_HISTORY_WINDOW_H_
#define SEGUE_CORE_HISTORY_WINDOW_H_

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

}  // namespace segue

#endif  // SEGUE_CORE_HISTORY_WINDOW_H_
