#include "core/index/allowed_rows.h"

#include <algorithm>
#include <iterator>
#include <numeric>

namespace segue {
namespace {

constexpr int kWordBits = 64;

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
    : size_(size),
      count_(options.allowed == nullptr ? size : options.allowed->size()),
      excluded_(Distinct(options.excluded, size)),
      set_(options.allowed) {
  if (set_ != nullptr) {
    excluded_.erase(
        std::remove_if(excluded_.begin(), excluded_.end(),
                       [&](int32_t row) { return !set_->Contains(row); }),
        excluded_.end());
  }
  count_ -= excluded();
}

bool AllowedRows::Contains(int64_t row) const {
  const auto narrow = static_cast<int32_t>(row);
  return (set_ == nullptr || set_->Contains(narrow)) && !IsExcluded(narrow);
}

bool AllowedRows::IsExcluded(int32_t row) const {
  return std::binary_search(excluded_.begin(), excluded_.end(), row);
}

std::vector<int32_t> AllowedRows::ToRows() const {
  std::vector<int32_t> all;
  if (set_ != nullptr) {
    all = set_->ToRows();
  } else {
    all.resize(size_);
    std::iota(all.begin(), all.end(), 0);
  }
  if (excluded_.empty()) return all;
  std::vector<int32_t> rows;
  rows.reserve(count_);
  std::set_difference(all.begin(), all.end(), excluded_.begin(),
                      excluded_.end(), std::back_inserter(rows));
  return rows;
}

RowBits::RowBits(absl::Span<const int32_t> rows, int64_t size)
    : words_((size + kWordBits - 1) / kWordBits) {
  for (const int32_t row : rows) {
    words_[row / kWordBits] |= uint64_t{1} << (row % kWordBits);
  }
}

void RowBits::Keep(absl::Span<const int64_t> rows,
                   std::vector<int32_t>& kept) const {
  // Without a branch, which would be mispredicted as often as not.
  size_t count = kept.size();
  kept.resize(count + rows.size());
  for (const int64_t row : rows) {
    kept[count] = static_cast<int32_t>(row);
    count += words_[row / kWordBits] >> (row % kWordBits) & 1;
  }
  kept.resize(count);
}

}  // namespace segue
