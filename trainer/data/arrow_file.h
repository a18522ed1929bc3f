// One file as Arrow record batches of the wanted columns.
#ifndef SEGUE_TRAINER_DATA_ARROW_FILE_H_
#define SEGUE_TRAINER_DATA_ARROW_FILE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "arrow/record_batch.h"
#include "trainer/data/input_files.h"

namespace segue {

// Reads rows in their order in the file, a bounded number at a time. Cells of
// CSV come as binary, just as they stand in the file; an empty one is null.
// One thread; Arrow decodes columns of Parquet in its own pool.
class ArrowFile {
 public:
  // `columns` has each name once. NotFound, with the columns that there are, if
  // one is missing; InvalidArgument if one is there twice or a CSV has no
  // header; DataLoss if the file is truncated or not of its format.
  static absl::StatusOr<std::unique_ptr<ArrowFile>> Open(
      const InputFile& file, const std::vector<std::string>& columns);

  // Null after the last one.
  absl::StatusOr<std::shared_ptr<arrow::RecordBatch>> Next();

  const InputFile& file() const { return file_; }
  // What people count the first row of data as: a CSV's header is row 1.
  int64_t first_row() const {
    return file_.format == FileFormat::kParquet ? 1 : 2;
  }

 private:
  explicit ArrowFile(const InputFile& file) : file_(file) {}
  absl::Status OpenParquet(const std::vector<std::string>& columns);
  absl::Status OpenCsv(const std::vector<std::string>& columns);

  InputFile file_;
  std::shared_ptr<void> parquet_;  // outlives reader_
  std::shared_ptr<arrow::RecordBatchReader> reader_;
};

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_ARROW_FILE_H_
