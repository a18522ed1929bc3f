// A matrix of floats on disk, mapped: the fused feature rows of items or users.
#ifndef SEGUE_CORE_CATALOG_ROW_MATRIX_H_
#define SEGUE_CORE_CATALOG_ROW_MATRIX_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/base/file.h"

namespace segue {

// Rows of one width, read-only, paged in as they are touched. Movable; const
// members from any thread.
class RowMatrix {
 public:
  // DataLoss if the file's size and its header do not agree.
  static absl::StatusOr<RowMatrix> Open(const std::string& path);

  int64_t rows() const { return rows_; }
  int32_t width() const { return width_; }
  uint64_t bytes() const { return file_.bytes().size(); }
  // All of them, [rows, width].
  absl::Span<const float> values() const {
    return {data_, static_cast<size_t>(rows_ * width_)};
  }
  // REQUIRES: 0 <= row < rows().
  absl::Span<const float> Row(int64_t row) const {
    return {data_ + row * width_, static_cast<size_t>(width_)};
  }

 private:
  MappedFile file_;
  const float* data_ = nullptr;
  int64_t rows_ = 0;
  int32_t width_ = 0;
};

// Writes such a file row by row, so that no copy of it stands in memory. One
// thread. The file is whole once Finish() returned OK.
class RowMatrixWriter {
 public:
  static absl::StatusOr<std::unique_ptr<RowMatrixWriter>> Create(
      const std::string& path, int64_t rows, int32_t width);
  ~RowMatrixWriter();

  // `values`: any whole number of rows.
  absl::Status Append(absl::Span<const float> values);
  // InvalidArgument unless exactly the announced rows came.
  absl::Status Finish();

 private:
  RowMatrixWriter(std::FILE* file, std::string path, int64_t rows,
                  int32_t width)
      : file_(file), path_(std::move(path)), left_(rows), width_(width) {}

  std::FILE* file_;
  std::string path_;
  int64_t left_;
  int32_t width_;
};

}  // namespace segue

#endif  // SEGUE_CORE_CATALOG_ROW_MATRIX_H_
