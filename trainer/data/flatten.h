// Yambda's sequential Parquet, one row a user with list columns, as one row an
// event.
#ifndef SEGUE_TRAINER_DATA_FLATTEN_H_
#define SEGUE_TRAINER_DATA_FLATTEN_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "arrow/record_batch.h"
#include "trainer/data/column.h"

namespace segue {

struct FlatBatch {
  std::shared_ptr<arrow::RecordBatch> batch;
  // [rows of batch] the row that each came from, ascending; empty if the batch
  // was flat.
  std::vector<int64_t> parents;
};

// A batch is sequential if a column that is wanted as a single value is a list;
// then each list column loses one level and the others are repeated. The batch
// itself if it is flat. InvalidArgument, with `path` and the row (counted from
// `first_row`), where lists of one row differ in length.
absl::StatusOr<FlatBatch> Flatten(std::shared_ptr<arrow::RecordBatch> batch,
                                  const std::vector<ColumnRequest>& requests,
                                  const std::string& path, int64_t first_row);

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_FLATTEN_H_
