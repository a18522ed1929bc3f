#include "trainer/config/empty_paths.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace segue {
namespace {

// The names of the features that go, of which `goes` holds.
template <typename Goes>
std::vector<std::string> RemoveFeatures(v1::ItemsConfig& items,
                                        const Goes& goes) {
  google::protobuf::RepeatedPtrField<v1::ItemFeature> kept;
  std::vector<std::string> gone;
  for (v1::ItemFeature& feature : *items.mutable_features()) {
    if (goes(feature)) {
      gone.push_back(feature.name());
    } else {
      *kept.Add() = std::move(feature);
    }
  }
  items.mutable_features()->Swap(&kept);
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
  const auto unmapped = RemoveFeatures(items, [](const v1::ItemFeature& f) {
    return f.source() == v1::ItemFeature::MAPPING && f.has_mapping_path() &&
           f.mapping_path().empty();
  });
  say("mapping_path", plural(unmapped, "feature"), unmapped);
  if (!items.path().empty()) return lines;
  const auto of_items = RemoveFeatures(items, [](const v1::ItemFeature& f) {
    return f.source() == v1::ItemFeature::ITEMS;
  });
  say("items.path", plural(of_items, "feature"), of_items);
  const auto columns = std::exchange(*items.mutable_display_columns(), {});
  say("items.path", plural(columns, "display column"), columns);
  if (items.catalogue() == v1::ItemsConfig::ALL) {
    items.clear_catalogue();
    lines.emplace_back("no items.path: the catalogue is the items of events");
  }
  return lines;
}

}  // namespace segue
