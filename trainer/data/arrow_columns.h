// From Arrow's arrays to plain columns.
#ifndef SEGUE_TRAINER_DATA_ARROW_COLUMNS_H_
#define SEGUE_TRAINER_DATA_ARROW_COLUMNS_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "arrow/array.h"
#include "arrow/record_batch.h"
#include "trainer/data/column.h"

namespace segue {

// Names the cell of value `i` of a column: file, column and row.
using CellName = std::function<std::string(int64_t i)>;

// A column and what its texts point into.
struct ConvertedColumn {
  Column column;
  std::shared_ptr<arrow::Array> owner;
};

// The array as `type` wants it. Dictionaries are decoded; Arrow's timestamps
// and dates are seconds where integers are wanted. Binary is the text of a CSV:
// numbers are parsed from it. InvalidArgument, with the cell and what was
// expected, for anything that is not of the type.
absl::StatusOr<ConvertedColumn> ConvertColumn(
    std::shared_ptr<arrow::Array> array, ColumnType type, const CellName& cell);

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_ARROW_COLUMNS_H_
