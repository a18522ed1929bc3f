#include "trainer/data/parquet_output.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "arrow/io/file.h"
#include "arrow/table.h"
#include "arrow/util/compression.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"

namespace segue {

ParquetOutput::ParquetOutput(std::string path,
                             std::shared_ptr<arrow::Schema> schema)
    : path_(std::move(path)),
      staging_(absl::StrCat(path_, ".tmp")),
      schema_(std::move(schema)) {}

ParquetOutput::~ParquetOutput() {
  if (finished_) return;
  std::error_code ignored;
  std::filesystem::remove(staging_, ignored);
}

absl::Status ParquetOutput::Check(const arrow::Status& status) const {
  if (status.ok()) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("cannot write ", staging_, ": ", status.message()));
}

absl::StatusOr<std::unique_ptr<ParquetOutput>> ParquetOutput::Create(
    const std::string& path, std::shared_ptr<arrow::Schema> schema) try {
  std::unique_ptr<ParquetOutput> output(
      new ParquetOutput(path, std::move(schema)));
  auto stream = arrow::io::FileOutputStream::Open(output->staging_);
  RETURN_IF_ERROR(output->Check(stream.status()));
  output->stream_ = *std::move(stream);
  parquet::WriterProperties::Builder properties;
  if (arrow::util::Codec::IsAvailable(arrow::Compression::SNAPPY)) {
    properties.compression(arrow::Compression::SNAPPY);
  }
  auto writer = parquet::arrow::FileWriter::Open(
      *output->schema_, arrow::default_memory_pool(), output->stream_,
      properties.build());
  RETURN_IF_ERROR(output->Check(writer.status()));
  output->writer_ = *std::move(writer);
  return output;
} catch (const std::exception& e) {
  return absl::UnavailableError(
      absl::StrCat("cannot write ", path, ": ", e.what()));
}

absl::Status ParquetOutput::Write(
    const std::vector<std::shared_ptr<arrow::Array>>& columns) try {
  const auto table = arrow::Table::Make(schema_, columns);
  // An empty table is no row group.
  if (table->num_rows() == 0) return absl::OkStatus();
  return Check(writer_->WriteTable(*table, table->num_rows()));
} catch (const std::exception& e) {
  return absl::UnavailableError(
      absl::StrCat("cannot write ", staging_, ": ", e.what()));
}

absl::Status ParquetOutput::Finish() try {
  RETURN_IF_ERROR(Check(writer_->Close()));
  RETURN_IF_ERROR(Check(stream_->Close()));
  RETURN_IF_ERROR(SyncFile(staging_));
  std::filesystem::rename(staging_, path_);
  finished_ = true;
  const std::string folder = std::filesystem::path(path_).parent_path();
  return SyncFolder(folder.empty() ? "." : folder);
} catch (const std::exception& e) {
  return absl::UnavailableError(
      absl::StrCat("cannot write ", path_, ": ", e.what()));
}

}  // namespace segue
