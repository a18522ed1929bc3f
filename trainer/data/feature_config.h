// What ItemFeature and QueryFeature have in common.
#ifndef SEGUE_TRAINER_DATA_FEATURE_CONFIG_H_
#define SEGUE_TRAINER_DATA_FEATURE_CONFIG_H_

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "segue/v1/config.pb.h"

namespace segue {

// The column that holds the feature: `Feature` is either of the two.
template <typename Feature>
std::string ColumnOf(const Feature& feature) {
  return feature.has_column() ? feature.column() : feature.name();
}

inline bool HasFeature(const v1::ItemsConfig& items, absl::string_view name) {
  return std::any_of(
      items.features().begin(), items.features().end(),
      [&](const v1::ItemFeature& feature) { return feature.name() == name; });
}

// What is read of items: the features, then the attributes that are none.
// Pointers into `items`.
inline std::vector<const v1::ItemFeature*> ItemColumns(
    const v1::ItemsConfig& items) {
  std::vector<const v1::ItemFeature*> columns;
  for (const v1::ItemFeature& feature : items.features()) {
    columns.push_back(&feature);
  }
  for (const v1::ItemFeature& attribute : items.attributes()) {
    if (!HasFeature(items, attribute.name())) columns.push_back(&attribute);
  }
  return columns;
}

// InvalidArgument for a kind that requests cannot send. `field` is where the
// feature stands in the config.
inline absl::Status CheckQueryFeature(absl::string_view field,
                                      const v1::QueryFeature& feature) {
  if (feature.kind() == v1::CATEGORICAL || feature.kind() == v1::NUMERIC) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": '", feature.name(), "' is ",
                   v1::FeatureKind_Name(feature.kind()),
                   "; expected CATEGORICAL or NUMERIC"));
}

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_FEATURE_CONFIG_H_
