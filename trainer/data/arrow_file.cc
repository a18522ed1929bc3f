#include "trainer/data/arrow_file.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "arrow/csv/api.h"
#include "arrow/io/api.h"
#include "arrow/util/compression.h"
#include "core/base/status_macros.h"
#include "parquet/arrow/reader.h"
#include "parquet/arrow/schema.h"

namespace segue {
namespace {

constexpr int32_t kCsvBlockBytes = 4 << 20;
constexpr int64_t kParquetBufferBytes = 1 << 20;
constexpr int64_t kFlatBatchRows = 1 << 16;
// One row with list columns can hold a user's whole history.
constexpr int64_t kListBatchRows = 64;

// A CSV that does not parse is the writer's fault; everything else that Arrow
// says while reading means that bytes are missing or damaged.
absl::Status FromArrow(const arrow::Status& status, const InputFile& file) {
  if (status.ok()) return absl::OkStatus();
  const std::string message = absl::StrCat(file.path, ": ", status.message());
  if (file.format != FileFormat::kParquet && status.IsInvalid()) {
    return absl::InvalidArgumentError(message);
  }
  return absl::DataLossError(
      absl::StrCat(message, "; the file is truncated, damaged or not ",
                   file.format == FileFormat::kParquet ? "Parquet" : "gzip"));
}

#define RETURN_IF_ARROW_ERROR(expr) RETURN_IF_ERROR(FromArrow((expr), file_))
#define ASSIGN_OR_RETURN_ARROW(lhs, expr)   \
  auto lhs##_or = (expr);                   \
  RETURN_IF_ARROW_ERROR(lhs##_or.status()); \
  auto lhs = *std::move(lhs##_or)

absl::Status CheckColumns(const std::vector<std::string>& wanted,
                          const arrow::Schema& schema,
                          const std::string& path) {
  for (const std::string& name : wanted) {
    const size_t times = schema.GetAllFieldIndices(name).size();
    if (times == 1) continue;
    const std::string message = absl::StrCat(
        path, ": column '", name, "' is ",
        times == 0 ? "missing" : "there more than once",
        "; the columns are: ", absl::StrJoin(schema.field_names(), ", "));
    return times == 0 ? absl::NotFoundError(message)
                      : absl::InvalidArgumentError(message);
  }
  return absl::OkStatus();
}

void AppendLeaves(const parquet::arrow::SchemaField& field,
                  std::vector<int>& leaves) {
  if (field.column_index >= 0) leaves.push_back(field.column_index);
  for (const auto& child : field.children) AppendLeaves(child, leaves);
}

arrow::Result<std::shared_ptr<arrow::io::InputStream>> OpenStream(
    const InputFile& file) {
  ARROW_ASSIGN_OR_RAISE(auto stream, arrow::io::ReadableFile::Open(file.path));
  if (file.format == FileFormat::kCsv) return stream;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::util::Codec> codec,
                        arrow::util::Codec::Create(arrow::Compression::GZIP));
  // The codec has no state of its own, the stream takes what it needs of it.
  return arrow::io::CompressedInputStream::Make(codec.get(), stream);
}

arrow::Result<std::shared_ptr<arrow::csv::StreamingReader>> MakeCsvReader(
    const InputFile& file, const arrow::csv::ConvertOptions& convert) {
  ARROW_ASSIGN_OR_RAISE(auto stream, OpenStream(file));
  auto read = arrow::csv::ReadOptions::Defaults();
  // Parse errors name their row only when one thread reads.
  read.use_threads = false;
  read.block_size = kCsvBlockBytes;
  auto parse = arrow::csv::ParseOptions::Defaults();
  parse.newlines_in_values = true;
  return arrow::csv::StreamingReader::Make(arrow::io::default_io_context(),
                                           stream, read, parse, convert);
}

}  // namespace

absl::Status ArrowFile::OpenParquet(const std::vector<std::string>& columns) {
  auto properties = parquet::default_reader_properties();
  properties.enable_buffered_stream();
  properties.set_buffer_size(kParquetBufferBytes);
  parquet::ArrowReaderProperties arrow_properties(/*use_threads=*/true);
  arrow_properties.set_pre_buffer(false);

  parquet::arrow::FileReaderBuilder builder;
  RETURN_IF_ARROW_ERROR(
      builder.OpenFile(file_.path, /*memory_map=*/false, properties));
  std::shared_ptr<arrow::Schema> schema;
  RETURN_IF_ARROW_ERROR(parquet::arrow::FromParquetSchema(
      builder.raw_reader()->metadata()->schema(), arrow_properties,
      builder.raw_reader()->metadata()->key_value_metadata(), &schema));
  RETURN_IF_ERROR(CheckColumns(columns, *schema, file_.path));

  bool has_lists = false;
  for (const std::string& name : columns) {
    has_lists |= schema->GetFieldByName(name)->type()->num_fields() > 0;
  }
  arrow_properties.set_batch_size(has_lists ? kListBatchRows : kFlatBatchRows);
  builder.properties(arrow_properties);
  ASSIGN_OR_RETURN_ARROW(reader, builder.Build());

  std::vector<int> leaves;
  for (const auto& field : reader->manifest().schema_fields) {
    if (std::find(columns.begin(), columns.end(), field.field->name()) !=
        columns.end()) {
      AppendLeaves(field, leaves);
    }
  }
  std::vector<int> row_groups(reader->num_row_groups());
  for (size_t i = 0; i < row_groups.size(); ++i) row_groups[i] = i;
  ASSIGN_OR_RETURN_ARROW(batches,
                         reader->GetRecordBatchReader(row_groups, leaves));
  reader_ = std::move(batches);
  parquet_ = std::move(reader);
  return absl::OkStatus();
}

absl::Status ArrowFile::OpenCsv(const std::vector<std::string>& columns) {
  auto convert = arrow::csv::ConvertOptions::Defaults();
  auto header = MakeCsvReader(file_, convert);
  if (!header.ok() &&
      absl::StrContains(header.status().message(), "Empty CSV")) {
    return absl::InvalidArgumentError(absl::StrCat(
        file_.path, ": the file is empty; expected a header line with ",
        absl::StrJoin(columns, ", ")));
  }
  RETURN_IF_ARROW_ERROR(header.status());
  RETURN_IF_ERROR(CheckColumns(columns, *(*header)->schema(), file_.path));

  convert.include_columns = columns;
  for (const std::string& name : columns) {
    convert.column_types[name] = arrow::binary();
  }
  convert.null_values = {""};
  convert.strings_can_be_null = true;
  ASSIGN_OR_RETURN_ARROW(reader, MakeCsvReader(file_, convert));
  reader_ = std::move(reader);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<ArrowFile>> ArrowFile::Open(
    const InputFile& file, const std::vector<std::string>& columns) try {
  std::unique_ptr<ArrowFile> opened(new ArrowFile(file));
  RETURN_IF_ERROR(file.format == FileFormat::kParquet
                      ? opened->OpenParquet(columns)
                      : opened->OpenCsv(columns));
  return opened;
} catch (const std::exception& e) {
  return absl::DataLossError(absl::StrCat(file.path, ": ", e.what()));
}

absl::StatusOr<std::shared_ptr<arrow::RecordBatch>> ArrowFile::Next() try {
  std::shared_ptr<arrow::RecordBatch> batch;
  RETURN_IF_ARROW_ERROR(reader_->ReadNext(&batch));
  return batch;
} catch (const std::exception& e) {
  return absl::DataLossError(absl::StrCat(file_.path, ": ", e.what()));
}

}  // namespace segue
