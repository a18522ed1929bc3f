#include "trainer/data/flatten.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "arrow/array.h"
#include "arrow/array/builder_primitive.h"
#include "arrow/compute/api_vector.h"
#include "arrow/compute/cast.h"
#include "arrow/type.h"
#include "core/base/status_macros.h"

namespace segue {
namespace {

bool IsList(const arrow::DataType& type) {
  return type.id() == arrow::Type::LIST || type.id() == arrow::Type::LARGE_LIST;
}

bool IsSequential(const arrow::RecordBatch& batch,
                  const std::vector<ColumnRequest>& requests) {
  return std::any_of(
      requests.begin(), requests.end(), [&](const ColumnRequest& request) {
        return request.type != ColumnType::kIds &&
               request.type != ColumnType::kVector &&
               IsList(*batch.GetColumnByName(request.name)->type());
      });
}

int64_t ListLength(const arrow::Array& array, int64_t row) {
  if (array.IsNull(row)) return 0;
  if (array.type_id() == arrow::Type::LIST) {
    return static_cast<const arrow::ListArray&>(array).value_length(row);
  }
  return static_cast<const arrow::LargeListArray&>(array).value_length(row);
}

arrow::Result<std::shared_ptr<arrow::Array>> ListValues(
    const arrow::Array& array) {
  if (array.type_id() == arrow::Type::LIST) {
    return static_cast<const arrow::ListArray&>(array).Flatten();
  }
  return static_cast<const arrow::LargeListArray&>(array).Flatten();
}

// The row of each value, once every list column is seen to agree.
absl::StatusOr<std::vector<int64_t>> ParentRows(const arrow::RecordBatch& batch,
                                                const std::string& path,
                                                int64_t first_row) {
  std::vector<int64_t> parents;
  int model = -1;
  for (int column = 0; column < batch.num_columns(); ++column) {
    if (!IsList(*batch.column(column)->type())) continue;
    if (model < 0) model = column;
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      const int64_t length = ListLength(*batch.column(column), row);
      if (column == model) {
        parents.insert(parents.end(), length, row);
        continue;
      }
      const int64_t wanted = ListLength(*batch.column(model), row);
      if (length == wanted) continue;
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": row ", first_row + row, ": column '",
                       batch.column_name(column), "' lists ", length,
                       " values, column '", batch.column_name(model), "' ",
                       wanted, "; expected one value an event in each"));
    }
  }
  return parents;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> Expand(
    const arrow::RecordBatch& batch, const std::vector<int64_t>& parents) {
  arrow::Int64Builder builder;
  ARROW_RETURN_NOT_OK(builder.AppendValues(parents));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> rows, builder.Finish());
  std::vector<std::shared_ptr<arrow::Array>> columns;
  std::vector<std::shared_ptr<arrow::Field>> fields;
  for (int i = 0; i < batch.num_columns(); ++i) {
    std::shared_ptr<arrow::Array> column = batch.column(i);
    if (IsList(*column->type())) {
      ARROW_ASSIGN_OR_RAISE(column, ListValues(*column));
    } else {
      ARROW_ASSIGN_OR_RAISE(column, arrow::compute::Take(*column, *rows));
    }
    fields.push_back(arrow::field(batch.column_name(i), column->type()));
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(arrow::schema(fields),
                                  static_cast<int64_t>(parents.size()),
                                  std::move(columns));
}

}  // namespace

absl::StatusOr<FlatBatch> Flatten(std::shared_ptr<arrow::RecordBatch> batch,
                                  const std::vector<ColumnRequest>& requests,
                                  const std::string& path, int64_t first_row) {
  if (!IsSequential(*batch, requests)) {
    return FlatBatch{std::move(batch), {}};
  }
  ASSIGN_OR_RETURN(std::vector<int64_t> parents,
                   ParentRows(*batch, path, first_row));
  auto expanded = Expand(*batch, parents);
  if (!expanded.ok()) {
    return absl::DataLossError(
        absl::StrCat(path, ": ", expanded.status().message()));
  }
  return FlatBatch{*std::move(expanded), std::move(parents)};
}

}  // namespace segue
