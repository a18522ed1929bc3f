#include "core/index/allowed_rows.h"

#include <algorithm>

namespace segue {
namespace {

std::vector<int32_t> Distinct(absl::Span<const int32_t> rows, int64_t size) {
  std::vector<int32_t> sorted;
  sorted.reserve(rows.size());
  for (const int32_t row : rows) {
    if (row >= 0 && row < size) sorted.push_back(row);
  }
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  return sorted;
}

}  // namespace

AllowedRows::AllowedRows(const SearchOptions& options, int64_t size)
    : size_(size), excluded_(Distinct(options.excluded, size)) {
  count_ = size - static_cast<int64_t>(excluded_.size());
  if (options.allowed == nullptr) return;
  set_ = *options.allowed;
  set_->IntersectWith(RowSet(0, static_cast<int32_t>(size)));
  set_->Subtract(RowSet(excluded_));
  count_ = set_->size();
}

bool AllowedRows::Contains(int64_t row) const {
  const auto narrow = static_cast<int32_t>(row);
  if (set_.has_value()) return set_->Contains(narrow);
  return !std::binary_search(excluded_.begin(), excluded_.end(), narrow);
}

void AllowedRows::Keep(absl::Span<const int64_t> rows,
                       std::vector<int32_t>& kept) const {
  if (set_.has_value()) {
    set_->Keep(rows, kept);
    return;
  }
  for (const int64_t row : rows) {
    if (Contains(row)) kept.push_back(static_cast<int32_t>(row));
  }
}

std::vector<int32_t> AllowedRows::ToRows() const {
  if (set_.has_value()) return set_->ToRows();
  std::vector<int32_t> rows;
  rows.reserve(count_);
  auto next = excluded_.begin();
  for (int32_t row = 0; row < size_; ++row) {
    if (next != excluded_.end() && *next == row) {
      ++next;
    } else {
      rows.push_back(row);
    }
  }
  return rows;
}

}  // namespace segue
