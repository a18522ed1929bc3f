// What filters look at: which items have a value, or a number within bounds.
#ifndef SEGUE_CORE_CATALOG_ATTRIBUTE_INDEX_H_
#define SEGUE_CORE_CATALOG_ATTRIBUTE_INDEX_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "core/rows/row_set.h"
#include "core/schema/vocabulary.h"
#include "segue/v1/bundle.pb.h"

namespace segue {

// Immutable; any thread. Values that many items have, and prefixes of the order
// of numbers, are kept as sets; others are made when they are asked for.
class AttributeIndex {
 public:
  // Without attributes.
  AttributeIndex() = default;
  // DataLoss, naming the attribute, if the columns are not what bundle.proto
  // says, or have rows that are not within [0, items).
  static absl::StatusOr<AttributeIndex> Create(const v1::Attributes& from,
                                               int64_t items);

  int size() const { return static_cast<int>(columns_.size()); }
  const std::string& name(int attribute) const {
    return columns_[attribute].name;
  }
  v1::AttributeColumn::Kind kind(int attribute) const {
    return columns_[attribute].kind;
  }
  std::optional<int> Find(absl::string_view name) const;

  // Adds the items that have the value; none if no item has it. REQUIRES:
  // CATEGORICAL.
  void AddWithValue(int attribute, absl::string_view value, RowSet& rows) const;
  // The values of an item, as rows of a vocabulary of the attribute; ascending.
  // REQUIRES: CATEGORICAL, an item of the bundle.
  absl::Span<const int32_t> ValuesOf(int attribute, int32_t row) const {
    const Column& column = columns_[attribute];
    return absl::MakeConstSpan(column.item_values)
        .subspan(column.item_begins[row],
                 column.item_begins[row + 1] - column.item_begins[row]);
  }
  // Items whose number is in [least, most]; one without a number is in no
  // range. REQUIRES: NUMERIC, neither is NaN.
  RowSet InRange(int attribute, double least, double most) const;

 private:
  struct Column {
    std::string name;
    v1::AttributeColumn::Kind kind = v1::AttributeColumn::KIND_UNSPECIFIED;
    // CATEGORICAL.
    Vocabulary values{1};
    std::vector<int64_t> begins;
    std::vector<int32_t> rows;
    absl::flat_hash_map<int32_t, RowSet> common;
    std::vector<int32_t> item_begins;  // the same the other way round
    std::vector<int32_t> item_values;
    // NUMERIC: ascending, and the rows in that order; prefix p holds the first
    // p buckets of them.
    std::vector<double> numbers;
    std::vector<int32_t> order;
    std::vector<RowSet> prefixes;
  };

  static absl::Status FillCategories(const v1::AttributeColumn& from,
                                     int64_t items, Column& column);
  static absl::Status FillNumbers(const v1::AttributeColumn& from,
                                  int64_t items, Column& column);
  // The rows of the first `count` numbers.
  static RowSet First(const Column& column, int64_t count);

  std::vector<Column> columns_;
};

}  // namespace segue

#endif  // SEGUE_CORE_CATALOG_ATTRIBUTE_INDEX_H_
