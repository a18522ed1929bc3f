#include "tests/trainer/data/table_files.h"

#include <fstream>
#include <memory>
#include <sstream>

#include "arrow/array/util.h"
#include "arrow/builder.h"
#include "arrow/compute/cast.h"
#include "arrow/compute/initialize.h"
#include "arrow/io/compressed.h"
#include "arrow/io/file.h"
#include "arrow/table.h"
#include "arrow/util/compression.h"
#include "parquet/arrow/writer.h"

namespace segue::testing {
namespace {

// Tests cannot go on without their files.
void Check(const arrow::Status& status) {
  if (!status.ok()) status.Abort();
}

using ArrayPtr = std::shared_ptr<arrow::Array>;

template <typename Builder, typename T>
ArrayPtr Build(const std::vector<std::optional<T>>& values) {
  Builder builder;
  for (const auto& value : values) {
    Check(value ? builder.Append(*value) : builder.AppendNull());
  }
  return builder.Finish().ValueOrDie();
}

ArrayPtr ToArray(const Integers& values) {
  return Build<arrow::Int64Builder>(values);
}
ArrayPtr ToArray(const Reals& values) {
  return Build<arrow::DoubleBuilder>(values);
}
ArrayPtr ToArray(const Texts& values) {
  return Build<arrow::StringBuilder>(values);
}
ArrayPtr ToArray(const IntegerLists& lists) {
  auto values = std::make_shared<arrow::Int64Builder>();
  arrow::ListBuilder builder(arrow::default_memory_pool(), values);
  for (const auto& list : lists) {
    Check(builder.Append());
    Check(values->AppendValues(list));
  }
  return builder.Finish().ValueOrDie();
}

ArrayPtr ToArray(const RealLists& lists) {
  auto values = std::make_shared<arrow::DoubleBuilder>();
  arrow::ListBuilder builder(arrow::default_memory_pool(), values);
  for (const auto& list : lists) {
    Check(list ? builder.Append() : builder.AppendNull());
    if (!list) continue;
    for (const auto& value : *list) {
      Check(value ? values->Append(*value) : values->AppendNull());
    }
  }
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::DataType> TypeNamed(const std::string& name) {
  if (name == "dictionary")
    return arrow::dictionary(arrow::int32(), arrow::utf8());
  for (const auto& type :
       {arrow::uint8(), arrow::uint16(), arrow::uint32(), arrow::uint64(),
        arrow::int32(), arrow::float32(), arrow::boolean(), arrow::large_utf8(),
        arrow::timestamp(arrow::TimeUnit::MILLI),
        arrow::large_list(arrow::int64()), arrow::list(arrow::float32()),
        arrow::large_list(arrow::float32()),
        arrow::fixed_size_list(arrow::float32(), 2)}) {
    if (type->ToString() == name) return type;
  }
  arrow::Status::Invalid("no type for tests: ", name).Abort();
  return nullptr;
}

}  // namespace

void WriteText(const std::string& path, absl::string_view text) {
  std::ofstream(path, std::ios::binary).write(text.data(), text.size());
}

void WriteGzip(const std::string& path, absl::string_view text) {
  auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  auto codec =
      arrow::util::Codec::Create(arrow::Compression::GZIP).ValueOrDie();
  auto stream =
      arrow::io::CompressedOutputStream::Make(codec.get(), file).ValueOrDie();
  Check(stream->Write(text.data(), text.size()));
  Check(stream->Close());
}

void WriteParquet(const std::string& path,
                  const std::vector<ParquetColumn>& columns) {
  Check(arrow::compute::Initialize());
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const ParquetColumn& column : columns) {
    ArrayPtr array = std::visit(
        [](const auto& values) { return ToArray(values); }, column.values);
    if (column.type == "null") {
      array =
          arrow::MakeArrayOfNull(arrow::null(), array->length()).ValueOrDie();
    } else if (!column.type.empty()) {
      array = arrow::compute::Cast(*array, TypeNamed(column.type),
                                   arrow::compute::CastOptions::Unsafe())
                  .ValueOrDie();
    }
    fields.push_back(arrow::field(column.name, array->type()));
    arrays.push_back(std::move(array));
  }
  auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  const auto table = arrow::Table::Make(arrow::schema(fields), arrays);
  // Arrow's own types (dictionaries, large ones) come back as they were.
  const auto keep_types =
      parquet::ArrowWriterProperties::Builder().store_schema()->build();
  // Two rows a group: readers must go on from one to the next.
  Check(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), file,
                                   2, parquet::default_writer_properties(),
                                   keep_types));
  Check(file->Close());
}

std::string ReadBytes(const std::string& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

}  // namespace segue::testing
