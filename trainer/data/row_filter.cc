#include "trainer/data/row_filter.h"

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace segue {

absl::StatusOr<RowFilter> RowFilter::Create(const v1::EventFilter& config) {
  const int conditions = (config.one_of().empty() ? 0 : 1) +
                         (config.has_at_least() ? 1 : 0) +
                         (config.has_at_most() ? 1 : 0);
  if (config.column().empty() || conditions != 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "events: a filter needs a column and exactly one of one_of, "
        "at_least and at_most; this one has column '",
        config.column(), "' and ", conditions, " conditions"));
  }
  RowFilter filter;
  filter.request_ = {config.column(), config.one_of().empty()
                                          ? ColumnType::kNumber
                                          : ColumnType::kId};
  for (const std::string& text : config.one_of()) {
    filter.texts_.insert(text);
    int64_t integer;
    // Compared as text: "07" is not 7.
    if (absl::SimpleAtoi(text, &integer) && absl::StrCat(integer) == text) {
      filter.integers_.insert(integer);
    }
  }
  if (config.has_at_least()) filter.at_least_ = config.at_least();
  if (config.has_at_most()) filter.at_most_ = config.at_most();
  return filter;
}

bool RowFilter::Holds(const Column& column, int64_t i) const {
  if (column.IsNull(i)) return false;
  if (request_.type == ColumnType::kNumber) {
    return column.numbers[i] >= at_least_ && column.numbers[i] <= at_most_;
  }
  if (column.is_text) return texts_.contains(column.texts[i]);
  return integers_.contains(column.integers[i]);
}

}  // namespace segue
