#include "core/catalog/attribute_index.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace segue {
namespace {

// A value that one item in so many has is kept as a set.
constexpr int64_t kCommon = 64;
// Prefixes of an order of numbers; a range is two of them and the ends of two
// buckets.
constexpr int64_t kPrefixes = 64;

int64_t BucketSize(int64_t numbers) {
  return std::max<int64_t>(1, (numbers + kPrefixes - 1) / kPrefixes);
}

absl::Status Broken(const std::string& name, absl::string_view why) {
  return absl::DataLossError(absl::StrCat("attribute \"", name, "\": ", why));
}

}  // namespace

absl::Status AttributeIndex::FillCategories(const v1::AttributeColumn& from,
                                            int64_t items, Column& column) {
  const int values = from.values_size();
  if (from.begins_size() != values + 1 || from.begins(0) != 0 ||
      from.begins(values) != from.rows_size()) {
    return Broken(column.name, "begins do not fit values and rows");
  }
  for (int v = 0; v < values; ++v) {
    const int64_t begin = from.begins(v), end = from.begins(v + 1);
    if (begin > end || end > from.rows_size()) {
      return Broken(column.name, "begins do not ascend");
    }
    for (int64_t i = begin; i < end; ++i) {
      const int32_t row = from.rows(static_cast<int>(i));
      if (row < 0 || row >= items ||
          (i > begin && row <= from.rows(static_cast<int>(i - 1)))) {
        return Broken(column.name,
                      absl::StrCat("row ", row, " is out of order or of [0, ",
                                   items, ")"));
      }
    }
    const std::string& value = from.values(v);
    if (value.size() > Vocabulary::kMaxIdBytes) {
      return Broken(column.name,
                    absl::StrCat("a value has ", value.size(), " bytes"));
    }
    if (column.values.Add(value) != v) {
      return Broken(column.name,
                    absl::StrCat("value \"", value, "\" is there twice"));
    }
  }
  column.begins.assign(from.begins().begin(), from.begins().end());
  column.rows.assign(from.rows().begin(), from.rows().end());
  column.item_begins.assign(items + 1, 0);
  for (const int32_t row : column.rows) ++column.item_begins[row + 1];
  std::partial_sum(column.item_begins.begin(), column.item_begins.end(),
                   column.item_begins.begin());
  column.item_values.resize(column.rows.size());
  std::vector<int32_t> next(column.item_begins.begin(),
                            column.item_begins.end() - 1);
  for (int32_t v = 0; v < values; ++v) {
    for (int64_t i = column.begins[v]; i < column.begins[v + 1]; ++i) {
      column.item_values[next[column.rows[i]]++] = v;
    }
  }
  for (int32_t v = 0; v < values; ++v) {
    const int64_t begin = column.begins[v],
                  count = column.begins[v + 1] - begin;
    if (count * kCommon < items) continue;
    RowSet set(absl::MakeConstSpan(column.rows).subspan(begin, count));
    set.Shrink();
    column.common.emplace(v, std::move(set));
  }
  return absl::OkStatus();
}

absl::Status AttributeIndex::FillNumbers(const v1::AttributeColumn& from,
                                         int64_t items, Column& column) {
  if (from.numbers_size() != items) {
    return Broken(column.name, absl::StrCat("has ", from.numbers_size(),
                                            " numbers for ", items, " items"));
  }
  column.order.reserve(
      std::count_if(from.numbers().begin(), from.numbers().end(),
                    [](double number) { return !std::isnan(number); }));
  for (int32_t row = 0; row < items; ++row) {
    if (!std::isnan(from.numbers(row))) column.order.push_back(row);
  }
  std::stable_sort(
      column.order.begin(), column.order.end(),
      [&](int32_t a, int32_t b) { return from.numbers(a) < from.numbers(b); });
  column.numbers.reserve(column.order.size());
  for (const int32_t row : column.order) {
    column.numbers.push_back(from.numbers(row));
  }
  const auto count = static_cast<int64_t>(column.order.size());
  RowSet prefix;
  for (int64_t begin = 0; begin < count; begin += BucketSize(count)) {
    column.prefixes.push_back(prefix);
    column.prefixes.back().Shrink();
    prefix.Add(
        absl::MakeConstSpan(column.order).subspan(begin, BucketSize(count)));
  }
  return absl::OkStatus();
}

absl::StatusOr<AttributeIndex> AttributeIndex::Create(
    const v1::Attributes& from, int64_t items) {
  AttributeIndex index;
  std::set<std::string> names;
  for (const v1::AttributeColumn& column : from.columns()) {
    Column& filled = index.columns_.emplace_back();
    filled.name = column.name();
    filled.kind = column.kind();
    if (!names.insert(filled.name).second) {
      return Broken(filled.name, "is there twice");
    }
    switch (column.kind()) {
      case v1::AttributeColumn::CATEGORICAL:
        RETURN_IF_ERROR(FillCategories(column, items, filled));
        break;
      case v1::AttributeColumn::NUMERIC:
        RETURN_IF_ERROR(FillNumbers(column, items, filled));
        break;
      default:
        return Broken(filled.name, "has no kind");
    }
  }
  return index;
}

std::optional<int> AttributeIndex::Find(absl::string_view name) const {
  for (int i = 0; i < size(); ++i) {
    if (columns_[i].name == name) return i;
  }
  return std::nullopt;
}

void AttributeIndex::AddWithValue(int attribute, absl::string_view value,
                                  RowSet& rows) const {
  const Column& column = columns_[attribute];
  const std::optional<int32_t> known = column.values.Find(value);
  if (!known.has_value()) return;
  const int32_t v = *known;
  const auto common = column.common.find(v);
  if (common != column.common.end()) {
    rows.UniteWith(common->second);
    return;
  }
  const int64_t begin = column.begins[v];
  rows.Add(absl::MakeConstSpan(column.rows)
               .subspan(begin, column.begins[v + 1] - begin));
}

RowSet AttributeIndex::First(const Column& column, int64_t count) {
  if (count == 0) return {};
  const int64_t bucket = BucketSize(static_cast<int64_t>(column.order.size()));
  const int64_t prefix = std::min<int64_t>(
      count / bucket, static_cast<int64_t>(column.prefixes.size()) - 1);
  RowSet rows = column.prefixes[prefix];
  const int64_t begin = prefix * bucket;
  rows.Add(absl::MakeConstSpan(column.order).subspan(begin, count - begin));
  return rows;
}

RowSet AttributeIndex::InRange(int attribute, double least, double most) const {
  const Column& column = columns_[attribute];
  const int64_t begin =
      std::lower_bound(column.numbers.begin(), column.numbers.end(), least) -
      column.numbers.begin();
  const int64_t end =
      std::upper_bound(column.numbers.begin(), column.numbers.end(), most) -
      column.numbers.begin();
  if (begin >= end) return {};
  const int64_t bucket = BucketSize(static_cast<int64_t>(column.order.size()));
  if (end - begin <= bucket) {
    return RowSet(
        absl::MakeConstSpan(column.order).subspan(begin, end - begin));
  }
  RowSet rows = First(column, end);
  rows.Subtract(First(column, begin));
  return rows;
}

}  // namespace segue
