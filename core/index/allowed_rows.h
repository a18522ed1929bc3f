// What one search may answer with. Private to core/index.
#ifndef SEGUE_CORE_INDEX_ALLOWED_ROWS_H_
#define SEGUE_CORE_INDEX_ALLOWED_ROWS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "core/index/vector_index.h"
#include "core/rows/row_set.h"

namespace segue {

// The rows of [0, size) that SearchOptions allow and do not exclude. A few
// excluded rows are looked up in a list; under a filter both are one set.
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
  bool filtered() const { return set_.has_value(); }
  bool Contains(int64_t row) const;
  // Appends those of `rows` that are allowed.
  void Keep(absl::Span<const int64_t> rows, std::vector<int32_t>& kept) const;
  // All of them, ascending.
  std::vector<int32_t> ToRows() const;
  // Rows left out, that stand in a search's way to the others.
  int64_t excluded() const { return static_cast<int64_t>(excluded_.size()); }

 private:
  int64_t size_ = 0;
  int64_t count_ = 0;
  std::vector<int32_t> excluded_;  // ascending, each once
  std::optional<RowSet> set_;      // without the excluded ones
};

}  // namespace segue

#endif  // SEGUE_CORE_INDEX_ALLOWED_ROWS_H_
