// A set of item rows, compressed: what filters combine and searches keep to.
#ifndef SEGUE_CORE_ROWS_ROW_SET_H_
#define SEGUE_CORE_ROWS_ROW_SET_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
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

  // Ascending.
  std::vector<int32_t> ToRows() const;
  // Packs what was added; of no effect on what is in the set.
  void Shrink();
  uint64_t bytes() const;

  // Roaring's portable format, as every implementation of it reads.
  std::string Serialize() const;
  // DataLoss if `bytes` are not those of such a set, or it has a row that is
  // not below `rows`.
  static absl::StatusOr<RowSet> Parse(absl::string_view bytes, int64_t rows);

 private:
  struct Bitmap;
  std::unique_ptr<Bitmap> bitmap_;
};

}  // namespace segue

#endif  // SEGUE_CORE_ROWS_ROW_SET_H_
