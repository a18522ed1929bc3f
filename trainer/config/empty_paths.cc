#include "trainer/config/empty_paths.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace segue {
namespace {

using Features = google::protobuf::RepeatedPtrField<v1::ItemFeature>;

// Takes out those of which `goes` holds; their names.
template <typename Goes>
std::vector<std::string> Remove(Features& features, const Goes& goes) {
  Features kept;
  std::vector<std::string> gone;
  for (v1::ItemFeature& feature : features) {
    if (goes(feature)) {
      gone.push_back(feature.name());
    } else {
      *kept.Add() = std::move(feature);
    }
  }
  features.Swap(&kept);
  return gone;
}

bool Names(const std::vector<std::string>& names,
           const v1::ItemFeature& feature) {
  return std::find(names.begin(), names.end(), feature.name()) != names.end();
}

std::vector<std::string> NamesOf(const Features& features) {
  std::vector<std::string> names;
  for (const v1::ItemFeature& feature : features) {
    names.push_back(feature.name());
  }
  return names;
}

struct Gone {
  std::vector<std::string> features;
  std::vector<std::string> attributes;  // that are no features
};

// The same of features and attributes; an attribute that is a feature goes with
// it.
template <typename Goes>
Gone RemoveColumns(v1::ItemsConfig& items, const Goes& goes) {
  const std::vector<std::string> before = NamesOf(items.features());
  Gone gone;
  gone.features = Remove(*items.mutable_features(), goes);
  Remove(*items.mutable_attributes(), [&](const v1::ItemFeature& attribute) {
    return Names(gone.features, attribute);
  });
  gone.attributes = Remove(
      *items.mutable_attributes(), [&](const v1::ItemFeature& attribute) {
        return !Names(before, attribute) && goes(attribute);
      });
  return gone;
}

}  // namespace

std::vector<std::string> LeaveOutEmptyPaths(v1::TrainerConfig& config) {
  v1::ItemsConfig& items = *config.mutable_items();
  std::vector<std::string> lines;
  const auto say = [&lines](absl::string_view path, absl::string_view what,
                            const auto& names) {
    if (names.empty()) return;
    lines.push_back(
        absl::StrCat("no ", path, ": ", what, " ", absl::StrJoin(names, ", "),
                     names.size() == 1 ? " is" : " are", " left out"));
  };
  const auto plural = [](const auto& names, const std::string& what) {
    return names.size() == 1 ? what : what + "s";
  };
  const auto say_gone = [&](absl::string_view path, const Gone& gone) {
    say(path, plural(gone.features, "feature"), gone.features);
    say(path, plural(gone.attributes, "attribute"), gone.attributes);
  };
  say_gone("mapping_path",
           RemoveColumns(items, [](const v1::ItemFeature& column) {
             return column.source() == v1::ItemFeature::MAPPING &&
                    column.has_mapping_path() && column.mapping_path().empty();
           }));
  if (!items.path().empty()) return lines;
  say_gone("items.path",
           RemoveColumns(items, [](const v1::ItemFeature& column) {
             return column.source() == v1::ItemFeature::ITEMS;
           }));
  const auto columns = std::exchange(*items.mutable_display_columns(), {});
  say("items.path", plural(columns, "display column"), columns);
  if (items.catalogue() == v1::ItemsConfig::ALL) {
    items.clear_catalogue();
    lines.emplace_back("no items.path: the catalogue is the items of events");
  }
  return lines;
}

}  // namespace segue
