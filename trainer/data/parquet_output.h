// A Parquet file that is there whole or not at all.
#ifndef SEGUE_TRAINER_DATA_PARQUET_OUTPUT_H_
#define SEGUE_TRAINER_DATA_PARQUET_OUTPUT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "arrow/array.h"
#include "arrow/io/type_fwd.h"
#include "arrow/type.h"
#include "parquet/arrow/writer.h"

namespace segue {

// Written beside its place under `path`.tmp; Finish() syncs and renames it.
// Destroyed before that, it removes what it wrote. One thread.
class ParquetOutput {
 public:
  static absl::StatusOr<std::unique_ptr<ParquetOutput>> Create(
      const std::string& path, std::shared_ptr<arrow::Schema> schema);
  ~ParquetOutput();

  // One row group. REQUIRES: arrays of one length, as the schema.
  absl::Status Write(const std::vector<std::shared_ptr<arrow::Array>>& columns);
  absl::Status Finish();

 private:
  ParquetOutput(std::string path, std::shared_ptr<arrow::Schema> schema);
  absl::Status Check(const arrow::Status& status) const;

  std::string path_;
  std::string staging_;
  std::shared_ptr<arrow::Schema> schema_;
  std::shared_ptr<arrow::io::OutputStream> stream_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  bool finished_ = false;
};

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_PARQUET_OUTPUT_H_
