#include "trainer/data/feature_builder.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"

namespace segue {

FeatureBuilder::FeatureBuilder(std::string name, v1::FeatureKind kind,
                               std::string separator)
    : name_(std::move(name)),
      kind_(kind),
      separator_(std::move(separator)),
      values_(std::make_unique<Vocabulary>(1)),
      encoder_(values_.get()),
      vectors_(separator_) {}

ColumnType FeatureBuilder::column_type() const {
  if (kind_ == v1::NUMERIC) return ColumnType::kNumber;
  if (kind_ == v1::VECTOR) return ColumnType::kVector;
  return kind_ == v1::MULTI_CATEGORICAL ? ColumnType::kIds : ColumnType::kId;
}

bool FeatureBuilder::HasValue(int32_t owner) const {
  if (kind_ == v1::VECTOR) return vectors_.HasVector(owner);
  return owner < static_cast<int32_t>(has_value_.size()) && has_value_[owner];
}

void FeatureBuilder::AddValue(int32_t owner, int32_t value) {
  owners_.push_back(owner);
  owned_.push_back(value);
}

absl::Status FeatureBuilder::AddSplit(int32_t owner, absl::string_view text) {
  for (const absl::string_view piece : absl::StrSplit(text, separator_)) {
    if (piece.empty()) continue;
    RETURN_IF_ERROR(CheckId(piece));
    AddValue(owner, values_->Add(piece));
  }
  return absl::OkStatus();
}

absl::Status FeatureBuilder::Add(int32_t owner, const Column& column,
                                 int64_t i) {
  const bool multi = kind_ == v1::MULTI_CATEGORICAL;
  if (!multi && HasValue(owner)) return absl::OkStatus();
  if (kind_ == v1::VECTOR) return vectors_.Add(owner, column, i);
  const int64_t begin = column.IsList() ? column.begins[i] : i;
  const int64_t end = column.IsList() ? column.begins[i + 1] : i + 1;
  for (int64_t v = begin; v < end; ++v) {
    if (column.IsNull(v)) continue;
    if (owner >= static_cast<int32_t>(has_value_.size())) {
      has_value_.resize(owner + 1);
    }
    has_value_[owner] = true;
    if (kind_ == v1::NUMERIC) {
      if (owner >= static_cast<int32_t>(numbers_.size())) {
        numbers_.resize(owner + 1, std::numeric_limits<double>::quiet_NaN());
      }
      numbers_[owner] = column.numbers[v];
    } else if (multi && column.is_text && !column.IsList() &&
               !separator_.empty()) {
      RETURN_IF_ERROR(AddSplit(owner, column.texts[v]));
    } else {
      ASSIGN_OR_RETURN(const int32_t value, encoder_.Add(column, v));
      AddValue(owner, value);
    }
  }
  return absl::OkStatus();
}

void FeatureBuilder::FillNumbers(int64_t rows,
                                 const std::vector<int32_t>& new_rows,
                                 FeatureTable& table) {
  table.numbers.assign(rows, std::numeric_limits<double>::quiet_NaN());
  for (size_t owner = 0; owner < numbers_.size(); ++owner) {
    if (new_rows[owner] != kDropped) {
      table.numbers[new_rows[owner]] = numbers_[owner];
    }
  }
}

void FeatureBuilder::FillValues(int64_t rows,
                                const std::vector<int32_t>& new_rows,
                                FeatureTable& table) {
  // A counting sort by new row keeps the order of the source.
  std::vector<int64_t> ends(rows + 1);
  for (const int32_t owner : owners_) {
    if (new_rows[owner] != kDropped) ++ends[new_rows[owner] + 1];
  }
  for (int64_t row = 0; row < rows; ++row) ends[row + 1] += ends[row];
  std::vector<int32_t> sorted(ends.back());
  std::vector<int64_t> next(ends.begin(), ends.end() - 1);
  for (size_t i = 0; i < owners_.size(); ++i) {
    const int32_t row = new_rows[owners_[i]];
    if (row != kDropped) sorted[next[row]++] = owned_[i];
  }
  table.begins.assign(1, 0);
  table.begins.reserve(rows + 1);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = ends[row]; i < ends[row + 1]; ++i) {
      const auto first = table.value_rows.begin() + table.begins.back();
      const auto last = table.value_rows.end();
      if (std::find(first, last, sorted[i]) != last) continue;
      table.value_rows.push_back(sorted[i]);
    }
    table.begins.push_back(static_cast<int64_t>(table.value_rows.size()));
  }
  KeepUsedValues(table);
}

void FeatureBuilder::KeepUsedValues(FeatureTable& table) {
  std::vector<bool> used(values_->size());
  for (const int32_t value : table.value_rows) used[value] = true;
  std::vector<int32_t> new_values(values_->size(), kDropped);
  for (int32_t value = 0; value < values_->size(); ++value) {
    if (used[value]) new_values[value] = table.values.Add(values_->id(value));
  }
  for (int32_t& value : table.value_rows) value = new_values[value];
}

FeatureTable FeatureBuilder::Finish(int64_t rows,
                                    const std::vector<int32_t>& new_rows) {
  FeatureTable table;
  table.name = name_;
  table.kind = kind_;
  if (kind_ == v1::NUMERIC) {
    FillNumbers(rows, new_rows, table);
  } else if (kind_ == v1::VECTOR) {
    vectors_.Finish(rows, table);
  } else {
    FillValues(rows, new_rows, table);
  }
  *this = FeatureBuilder(name_, kind_, separator_);
  return table;
}

}  // namespace segue
