#include "trainer/data/arrow_columns.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "arrow/array.h"
#include "arrow/compute/cast.h"
#include "arrow/type.h"
#include "core/base/status_macros.h"
#include "core/base/utf8.h"

namespace segue {
namespace {

// Enough of a cell to recognise it in an error.
constexpr size_t kShownBytes = 60;

absl::string_view Expected(ColumnType type) {
  switch (type) {
    case ColumnType::kId:
      return "an id, integer or text";
    case ColumnType::kIds:
      return "integers, text or lists of them";
    case ColumnType::kInteger:
      return "an integer";
    case ColumnType::kNumber:
      return "a finite number";
    case ColumnType::kText:
      return "text";
    case ColumnType::kVector:
      return "lists of numbers, or text that spells them";
  }
  return "";
}

std::string Shown(absl::string_view text) {
  std::string shown(text.substr(0, kShownBytes));
  if (!IsValidUtf8(shown)) return "bytes that are not UTF-8";
  return absl::StrCat("'", shown, text.size() > kShownBytes ? "…" : "", "'");
}

absl::Status Refuse(ColumnType type, const CellName& cell, int64_t i,
                    absl::string_view found) {
  return absl::InvalidArgumentError(
      absl::StrCat(cell(i), ": expected ", Expected(type), ", found ", found));
}

absl::StatusOr<std::shared_ptr<arrow::Array>> CastTo(
    const arrow::Array& array, const std::shared_ptr<arrow::DataType>& to,
    ColumnType type, const CellName& cell) {
  arrow::compute::CastOptions options(/*safe=*/true);
  options.allow_time_truncate = true;
  auto cast = arrow::compute::Cast(array, to, options);
  if (cast.ok()) return *std::move(cast);
  return Refuse(type, cell, 0,
                absl::StrCat(array.type()->ToString(), " (",
                             cast.status().message(), ")"));
}

void CopyNulls(const arrow::Array& array, Column& column) {
  if (array.null_count() == 0) return;
  column.nulls.resize(array.length());
  for (int64_t i = 0; i < array.length(); ++i) {
    column.nulls[i] = array.IsNull(i);
  }
}

void SetNull(int64_t i, int64_t rows, Column& column) {
  if (column.nulls.empty()) column.nulls.resize(rows);
  column.nulls[i] = 1;
}

template <typename Array>
void CopyTexts(const Array& array, Column& column) {
  column.is_text = true;
  column.texts.resize(array.length());
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i)) continue;
    const auto view = array.GetView(i);
    column.texts[i] = absl::string_view(view.data(), view.size());
    if (view.empty()) SetNull(i, array.length(), column);
  }
}

template <typename T>
absl::Status ParseAll(const Column& texts, ColumnType type,
                      const CellName& cell, std::vector<T>& values) {
  values.resize(texts.texts.size());
  for (size_t i = 0; i < values.size(); ++i) {
    if (texts.IsNull(i)) continue;
    const absl::string_view text = texts.texts[i];
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, values[i]);
    if (parsed.ec != std::errc() || parsed.ptr != end) {
      return Refuse(type, cell, i, Shown(text));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckNumbers(const CellName& cell, Column& column) {
  const int64_t rows = static_cast<int64_t>(column.numbers.size());
  for (int64_t i = 0; i < rows; ++i) {
    const double x = column.numbers[i];
    if (column.IsNull(i)) continue;
    if (std::isnan(x)) {
      SetNull(i, rows, column);
    } else if (std::abs(x) > std::numeric_limits<float>::max()) {
      return Refuse(ColumnType::kNumber, cell, i, absl::StrCat(x));
    }
  }
  return absl::OkStatus();
}

bool IsText(const arrow::DataType& type) {
  return arrow::is_base_binary_like(type.id()) ||
         type.id() == arrow::Type::STRING_VIEW ||
         type.id() == arrow::Type::BINARY_VIEW;
}

bool IsMoment(const arrow::DataType& type) {
  return type.id() == arrow::Type::TIMESTAMP ||
         type.id() == arrow::Type::DATE32 || type.id() == arrow::Type::DATE64;
}

// Texts as they are, or the numbers that the cells of a CSV spell.
absl::StatusOr<ConvertedColumn> FromText(std::shared_ptr<arrow::Array> array,
                                         ColumnType type,
                                         const CellName& cell) {
  if (array->type_id() == arrow::Type::STRING_VIEW) {
    ASSIGN_OR_RETURN(array, CastTo(*array, arrow::utf8(), type, cell));
  } else if (array->type_id() == arrow::Type::BINARY_VIEW) {
    ASSIGN_OR_RETURN(array, CastTo(*array, arrow::binary(), type, cell));
  }
  Column column;
  CopyNulls(*array, column);
  if (arrow::is_large_binary_like(array->type_id())) {
    CopyTexts(static_cast<const arrow::LargeBinaryArray&>(*array), column);
  } else {
    CopyTexts(static_cast<const arrow::BinaryArray&>(*array), column);
  }
  if (type == ColumnType::kInteger || type == ColumnType::kNumber) {
    if (array->type_id() != arrow::Type::BINARY) {
      return Refuse(type, cell, 0,
                    absl::StrCat("a column of ", array->type()->ToString()));
    }
    column.is_text = false;
    if (type == ColumnType::kInteger) {
      RETURN_IF_ERROR(ParseAll(column, type, cell, column.integers));
    } else {
      RETURN_IF_ERROR(ParseAll(column, type, cell, column.numbers));
      RETURN_IF_ERROR(CheckNumbers(cell, column));
    }
    column.texts.clear();
  }
  if (type == ColumnType::kText) {
    for (size_t i = 0; i < column.texts.size(); ++i) {
      if (!IsValidUtf8(column.texts[i])) {
        return Refuse(type, cell, i, "bytes that are not UTF-8");
      }
    }
  }
  return ConvertedColumn{std::move(column), std::move(array)};
}

absl::StatusOr<ConvertedColumn> FromIntegers(
    const std::shared_ptr<arrow::Array>& array, ColumnType type,
    const CellName& cell) {
  auto cast = arrow::compute::Cast(*array, arrow::int64());
  if (!cast.ok() && type != ColumnType::kInteger) {
    // Past 2^63 - 1: ids are known by their decimal form all the same.
    ASSIGN_OR_RETURN(auto text, CastTo(*array, arrow::utf8(), type, cell));
    return FromText(std::move(text), type, cell);
  }
  if (!cast.ok()) return Refuse(type, cell, 0, cast.status().message());
  const auto& integers = static_cast<const arrow::Int64Array&>(**cast);
  Column column;
  CopyNulls(integers, column);
  column.integers.assign(integers.raw_values(),
                         integers.raw_values() + integers.length());
  return ConvertedColumn{std::move(column), array};
}

absl::StatusOr<ConvertedColumn> FromNumbers(const arrow::Array& array,
                                            const CellName& cell) {
  // Rounding a 64-bit integer is no error here, so the cast is not a safe one.
  auto cast = arrow::compute::Cast(array, arrow::float64(),
                                   arrow::compute::CastOptions::Unsafe());
  if (!cast.ok()) {
    return Refuse(ColumnType::kNumber, cell, 0,
                  absl::StrCat("a column of ", array.type()->ToString()));
  }
  const auto& reals = static_cast<const arrow::DoubleArray&>(**cast);
  Column column;
  CopyNulls(reals, column);
  column.numbers.assign(reals.raw_values(),
                        reals.raw_values() + reals.length());
  RETURN_IF_ERROR(CheckNumbers(cell, column));
  return ConvertedColumn{std::move(column), nullptr};
}

// The values of lists, one behind the other. What is not finite stays: an error
// has to name whose vector it is.
absl::StatusOr<ConvertedColumn> FromVectorValues(const arrow::Array& values,
                                                 const CellName& cell) {
  const arrow::Type::type id = values.type_id();
  if (!arrow::is_numeric(id) && id != arrow::Type::NA) {
    return Refuse(ColumnType::kVector, cell, 0,
                  absl::StrCat("lists of ", values.type()->ToString()));
  }
  ASSIGN_OR_RETURN(const auto cast,
                   CastTo(values, arrow::float64(), ColumnType::kVector, cell));
  const auto& reals = static_cast<const arrow::DoubleArray&>(*cast);
  Column column;
  CopyNulls(reals, column);
  column.numbers.assign(reals.raw_values(),
                        reals.raw_values() + reals.length());
  return ConvertedColumn{std::move(column), nullptr};
}

template <typename ListArray>
absl::StatusOr<ConvertedColumn> FromLists(const arrow::Array& array,
                                          ColumnType type,
                                          const CellName& cell) {
  const auto& lists = static_cast<const ListArray&>(array);
  std::vector<int64_t> begins = {0};
  for (int64_t row = 0; row < lists.length(); ++row) {
    begins.push_back(begins.back() +
                     (lists.IsNull(row) ? 0 : lists.value_length(row)));
  }
  // Arrow drops the values of null lists, and so does `begins`.
  auto values = lists.Flatten();
  if (!values.ok()) return Refuse(type, cell, 0, values.status().message());
  const CellName cell_of_value = [&](int64_t i) {
    const auto next = std::upper_bound(begins.begin(), begins.end(), i);
    return cell(next - begins.begin() - 1);
  };
  ASSIGN_OR_RETURN(
      ConvertedColumn converted,
      type == ColumnType::kVector
          ? FromVectorValues(**values, cell_of_value)
          : ConvertColumn(*std::move(values), ColumnType::kId, cell_of_value));
  converted.column.begins = std::move(begins);
  return converted;
}

// REQUIRES: the array is of lists.
absl::StatusOr<ConvertedColumn> FromAnyLists(const arrow::Array& array,
                                             ColumnType type,
                                             const CellName& cell) {
  if (array.type_id() == arrow::Type::LIST) {
    return FromLists<arrow::ListArray>(array, type, cell);
  }
  if (array.type_id() == arrow::Type::LARGE_LIST) {
    return FromLists<arrow::LargeListArray>(array, type, cell);
  }
  return FromLists<arrow::FixedSizeListArray>(array, type, cell);
}

bool IsList(const arrow::DataType& type) {
  return type.id() == arrow::Type::LIST ||
         type.id() == arrow::Type::LARGE_LIST ||
         type.id() == arrow::Type::FIXED_SIZE_LIST;
}

ConvertedColumn OnlyNulls(int64_t rows) {
  Column column;
  column.nulls.assign(rows, 1);
  column.integers.resize(rows);
  column.numbers.resize(rows);
  column.texts.resize(rows);
  return {std::move(column), nullptr};
}

}  // namespace

absl::StatusOr<ConvertedColumn> ConvertColumn(
    std::shared_ptr<arrow::Array> array, ColumnType type,
    const CellName& cell) {
  if (array->type_id() == arrow::Type::DICTIONARY) {
    const auto& dictionary =
        static_cast<const arrow::DictionaryType&>(*array->type());
    ASSIGN_OR_RETURN(array,
                     CastTo(*array, dictionary.value_type(), type, cell));
  }
  const arrow::DataType& from = *array->type();
  if (IsList(from) &&
      (type == ColumnType::kIds || type == ColumnType::kVector)) {
    return FromAnyLists(*array, type, cell);
  }
  if (IsText(from)) return FromText(std::move(array), type, cell);
  if (from.id() == arrow::Type::NA) return OnlyNulls(array->length());
  if (IsMoment(from) && type == ColumnType::kInteger) {
    ASSIGN_OR_RETURN(
        array,
        CastTo(*array, arrow::timestamp(arrow::TimeUnit::SECOND), type, cell));
    return FromIntegers(array, type, cell);
  }
  if (type == ColumnType::kNumber) return FromNumbers(*array, cell);
  if (type == ColumnType::kVector) {
    return Refuse(type, cell, 0, absl::StrCat("a column of ", from.ToString()));
  }
  if (arrow::is_integer(from.id()) && type != ColumnType::kText) {
    return FromIntegers(array, type, cell);
  }
  const bool as_text = type == ColumnType::kText || IsMoment(from) ||
                       from.id() == arrow::Type::BOOL;
  if (as_text && type != ColumnType::kInteger && from.num_fields() == 0) {
    ASSIGN_OR_RETURN(auto text, CastTo(*array, arrow::utf8(), type, cell));
    return FromText(std::move(text), type, cell);
  }
  return Refuse(type, cell, 0, absl::StrCat("a column of ", from.ToString()));
}

}  // namespace segue
