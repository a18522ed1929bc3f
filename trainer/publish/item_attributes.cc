#include "trainer/publish/item_attributes.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/bundle/layout.h"
#include "core/bundle/manifest.h"

namespace segue {
namespace {

const FeatureTable& TableOf(const std::string& name, const Dataset& data) {
  const auto named = [&](const FeatureTable& table) {
    return table.name == name;
  };
  const auto feature =
      std::find_if(data.item_features.begin(), data.item_features.end(), named);
  if (feature != data.item_features.end()) return *feature;
  return *std::find_if(data.item_attributes.begin(), data.item_attributes.end(),
                       named);
}

// Values of items become items of values, by a counting sort.
void Invert(const FeatureTable& table, v1::AttributeColumn& column) {
  std::vector<int64_t> begins(table.values.size() + 1);
  for (const int32_t value : table.value_rows) ++begins[value + 1];
  for (size_t v = 1; v < begins.size(); ++v) begins[v] += begins[v - 1];
  for (int32_t v = 0; v < table.values.size(); ++v) {
    column.add_values(std::string(table.values.id(v)));
  }
  column.mutable_begins()->Assign(begins.begin(), begins.end());
  column.mutable_rows()->Resize(static_cast<int>(table.value_rows.size()), 0);
  for (int32_t item = 0; item + 1 < static_cast<int64_t>(table.begins.size());
       ++item) {
    for (const int32_t value : table.Values(item)) {
      column.set_rows(static_cast<int>(begins[value]++), item);
    }
  }
}

void MoveValues(const std::vector<int32_t>& rows, v1::AttributeColumn& column) {
  std::vector<int64_t> begins = {0};
  std::vector<int32_t> moved;
  for (int v = 0; v < column.values_size(); ++v) {
    for (int64_t i = column.begins(v); i < column.begins(v + 1); ++i) {
      const int32_t row = rows[column.rows(static_cast<int>(i))];
      if (row >= 0) moved.push_back(row);
    }
    std::sort(moved.begin() + begins.back(), moved.end());
    begins.push_back(static_cast<int64_t>(moved.size()));
  }
  column.mutable_begins()->Assign(begins.begin(), begins.end());
  column.mutable_rows()->Assign(moved.begin(), moved.end());
}

void MoveNumbers(const std::vector<int32_t>& rows, int64_t count,
                 v1::AttributeColumn& column) {
  std::vector<double> moved(count, std::numeric_limits<double>::quiet_NaN());
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] >= 0) moved[rows[i]] = column.numbers(static_cast<int>(i));
  }
  column.mutable_numbers()->Assign(moved.begin(), moved.end());
}

}  // namespace

absl::StatusOr<v1::Attributes> ItemAttributes(const v1::ItemsConfig& config,
                                              const Dataset& data) {
  v1::Attributes attributes;
  for (const v1::ItemFeature& attribute : config.attributes()) {
    const FeatureTable& table = TableOf(attribute.name(), data);
    v1::AttributeColumn& column = *attributes.add_columns();
    column.set_name(table.name);
    if (table.kind == v1::NUMERIC) {
      column.set_kind(v1::AttributeColumn::NUMERIC);
      column.mutable_numbers()->Assign(table.numbers.begin(),
                                       table.numbers.end());
    } else {
      if (table.value_rows.size() > std::numeric_limits<int32_t>::max()) {
        return absl::FailedPreconditionError(
            absl::StrCat("items.attributes: '", table.name, "' has ",
                         table.value_rows.size(), " values of items"));
      }
      column.set_kind(v1::AttributeColumn::CATEGORICAL);
      Invert(table, column);
    }
  }
  return attributes;
}

void MoveAttributes(const std::vector<int32_t>& rows, int64_t count,
                    v1::Attributes& attributes) {
  for (v1::AttributeColumn& column : *attributes.mutable_columns()) {
    if (column.kind() == v1::AttributeColumn::NUMERIC) {
      MoveNumbers(rows, count, column);
    } else {
      MoveValues(rows, column);
    }
  }
}

absl::StatusOr<v1::Attributes> ReadAttributesFile(const Bundle& bundle) {
  v1::Attributes attributes;
  if (FindFile(bundle.content(), layout::kItemAttributes) == nullptr) {
    return attributes;
  }
  ASSIGN_OR_RETURN(const std::string bytes,
                   ReadFile(bundle.Path(layout::kItemAttributes),
                            std::numeric_limits<int32_t>::max()));
  if (!attributes.ParseFromString(bytes)) {
    return absl::DataLossError("items.attributes does not parse");
  }
  return attributes;
}

absl::Status WriteAttributesFile(const v1::Attributes& attributes,
                                 BundleWriter& writer) {
  std::string bytes;
  if (!attributes.SerializeToString(&bytes)) {
    return absl::FailedPreconditionError(
        "items.attributes: over 2 GiB of them; leave out those with the most "
        "values");
  }
  return WriteFileAtomically(
      writer.Add(layout::kItemAttributes, FileRole::kServed), bytes);
}

}  // namespace segue
