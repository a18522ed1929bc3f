// Columns of a table as the readers of this folder see them: plain values, no
// Arrow.
#ifndef SEGUE_TRAINER_DATA_COLUMN_H_
#define SEGUE_TRAINER_DATA_COLUMN_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace segue {

// What a column is wanted as. Anything else in the file is an error that names
// file, column and row.
enum class ColumnType {
  kId,       // integers or text, one a row
  kIds,      // integers or text, or lists of them: any number a row
  kInteger,  // integers
  kNumber,   // integers or reals, finite
  kText,     // anything that has a text form, in it
  kVector,   // lists of numbers, or text that spells them
};

struct ColumnRequest {
  std::string name;
  ColumnType type = ColumnType::kId;
};

// The values of one column in one batch. A null, an empty text and a NaN are
// all the same: no value.
struct Column {
  // [rows]; 1 where there is no value. Empty: a value everywhere.
  std::vector<uint8_t> nulls;
  // kInteger; kId and kIds where they are stored as integers.
  std::vector<int64_t> integers;
  // kNumber; kVector where they are stored as lists, finite or not.
  std::vector<double> numbers;
  // kText; kId, kIds and kVector where they are stored as text. They live as
  // long as the batch.
  std::vector<absl::string_view> texts;
  // kIds and kVector where they are stored as lists: row r has the values
  // [begins[r], begins[r + 1]), and `nulls` has one entry a value.
  std::vector<int64_t> begins;
  bool is_text = false;

  bool IsNull(int64_t i) const { return !nulls.empty() && nulls[i] != 0; }
  bool IsList() const { return !begins.empty(); }
};

// Some rows of a table. Columns stand in the order of their requests.
struct RowBatch {
  int64_t rows = 0;
  std::vector<Column> columns;
  // Keeps `texts` alive.
  std::shared_ptr<const void> owner;
};

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_COLUMN_H_
