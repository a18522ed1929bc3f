// A set of item rows, compressed: what filters combine and searches keep to.
#ifndef SEGUE_CORE_ROWS_ROW_SET_H_
#define SEGUE_CORE_ROWS_ROW_SET_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"

namespace segue {

// A Roaring bitmap (Lemire et al. 2018). Rows are 0 or more. Const members from
// any thread.
class RowSet {
 public:
  RowSet();
  // In any order, duplicates allowed. REQUIRES: none is negative.
  explicit RowSet(absl::Span<const int32_t> rows);
  // All of [begin, end).
  RowSet(int32_t begin, int32_t end);
  RowSet(const RowSet& other);
  RowSet(RowSet&& other) noexcept;
  RowSet& operator=(RowSet other);
  ~RowSet();

  int64_t size() const;
  bool Contains(int32_t row) const;
  // REQUIRES: none is negative.
  void Add(absl::Span<const int32_t> rows);
  void IntersectWith(const RowSet& other);
  void UniteWith(const RowSet& other);
  void Subtract(const RowSet& other);

  // Appends those of `rows` that are in the set, in their order. REQUIRES: each
  // is a row, of 32 bits.
  void Keep(absl::Span<const int64_t> rows, std::vector<int32_t>& kept) const;
  // Ascending.
  std::vector<int32_t> ToRows() const;
  // Packs what was added; of no effect on what is in the set.
  void Shrink();
  uint64_t bytes() const;

 private:
  struct Bitmap;
  std::unique_ptr<Bitmap> bitmap_;
};

}  // namespace segue

#endif  // SEGUE_CORE_ROWS_ROW_SET_H_
