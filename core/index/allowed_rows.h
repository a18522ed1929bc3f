// What one search may answer with. Private to core/index.
#ifndef SEGUE_CORE_INDEX_ALLOWED_ROWS_H_
#define SEGUE_CORE_INDEX_ALLOWED_ROWS_H_

#include <cstdint>
#include <vector>

#include "core/index/vector_index.h"
#include "core/rows/row_set.h"

namespace segue {

// The rows of [0, size) that SearchOptions allow and do not exclude. Borrows
// the allowed ones: a copy of them costs more than most searches.
class AllowedRows {
 public:
  AllowedRows(const SearchOptions& options, int64_t size);

  // How many they are.
  int64_t count() const { return count_; }
  // Of all rows.
  double share() const {
    return size_ == 0 ? 0 : static_cast<double>(count_) / size_;
  }
  // Whether there is a filter, not excluded rows alone.
  bool filtered() const { return set_ != nullptr; }
  bool Contains(int64_t row) const;
  // All of them, ascending.
  std::vector<int32_t> ToRows() const;
  // Rows left out of the others, in whose way they stand.
  int64_t excluded() const { return static_cast<int64_t>(excluded_.size()); }

 private:
  bool IsExcluded(int32_t row) const;

  int64_t size_ = 0;
  int64_t count_ = 0;
  std::vector<int32_t> excluded_;  // ascending, each once, allowed else
  const RowSet* set_ = nullptr;    // null: all
};

// The same rows as a bit each: to look up most rows of an index it is worth
// spreading them out.
class RowBits {
 public:
  // `rows` of [0, size).
  RowBits(absl::Span<const int32_t> rows, int64_t size);
  // Appends those of `rows` that are among them.
  void Keep(absl::Span<const int64_t> rows, std::vector<int32_t>& kept) const;

 private:
  std::vector<uint64_t> words_;
};

}  // namespace segue

#endif  // SEGUE_CORE_INDEX_ALLOWED_ROWS_H_
