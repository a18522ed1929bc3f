// The two towers as everything but their implementation sees them: functions
// from gathered feature rows to vectors of length 1.
#ifndef SEGUE_CORE_TOWERS_TOWERS_H_
#define SEGUE_CORE_TOWERS_TOWERS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace segue {

// Widths that towers and rows must agree on.
struct TowerShape {
  int32_t user_width = 0;      // u: floats in a user's row (may be 0)
  int32_t item_width = 0;      // f: floats in an item's row
  int32_t history_length = 0;  // n
  int32_t dimension = 0;       // d: floats in a vector
  bool history_times = false;  // the query tower takes times
};

// B queries, row-major. Borrowed memory.
struct QueryInputs {
  int32_t batch = 0;
  absl::Span<const float> user;     // [B, u]
  absl::Span<const float> history;  // [B, n, f], newest last, padding first
  absl::Span<const float> mask;     // [B, n], 1 an event, 0 padding
  absl::Span<const float> seed;     // [B, f]
  absl::Span<const float> age;      // [B], z-scored example age
  // In seconds; not looked at without TowerShape::history_times.
  absl::Span<const int64_t> times;  // [B, n], any where masked
  absl::Span<const int64_t> now;    // [B], of the request
};

// Thread-safe: Embed() may be called from any number of threads at once.
class QueryTower {
 public:
  virtual ~QueryTower() = default;
  virtual const TowerShape& shape() const = 0;
  // Writes [B, d] unit vectors to `out`. InvalidArgument if a span's size does
  // not fit the shape; Internal if the tower fails or gives what is not finite.
  virtual absl::Status Embed(const QueryInputs& inputs,
                             absl::Span<float> out) const = 0;
};

// Thread-safe as QueryTower.
class ItemTower {
 public:
  virtual ~ItemTower() = default;
  // `rows` is [B, f], `out` is [B, d]; errors as QueryTower::Embed.
  virtual absl::Status Embed(int32_t batch, absl::Span<const float> rows,
                             absl::Span<float> out) const = 0;
};

}  // namespace segue

#endif  // SEGUE_CORE_TOWERS_TOWERS_H_
