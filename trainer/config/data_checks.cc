// Checks of what is read and how it is split.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "trainer/config/checks.h"

namespace segue {
namespace {

// Queries are embedded in batches of this size, however small training's are.
constexpr int64_t kEmbedBatch = 4096;
// A bundle has at most 256 files, two of them for a feature.
constexpr int32_t kMostItemFeatures = 100;

using EventFilters = google::protobuf::RepeatedPtrField<v1::EventFilter>;

void CheckFilters(const EventFilters& filters, absl::string_view field,
                  Checks& checks) {
  for (int i = 0; i < filters.size(); ++i) {
    const v1::EventFilter& filter = filters[i];
    const std::string name = absl::StrCat(field, "[", i, "]");
    const int set = (filter.one_of_size() > 0) + filter.has_at_least() +
                    filter.has_at_most();
    if (filter.any_of_size() > 0) {
      checks.Require(filter.column().empty() && set == 0, name,
                     "any_of stands alone, with conditions of its own");
      for (const v1::EventFilter& condition : filter.any_of()) {
        checks.Require(condition.any_of().empty(), name,
                       "conditions of any_of have no any_of");
      }
      CheckFilters(filter.any_of(), name + ".any_of", checks);
      continue;
    }
    checks.Require(!filter.column().empty(), name + ".column", "is required");
    checks.Require(set == 1, name,
                   "set exactly one of one_of, at_least and at_most");
    checks.Require(
        !std::isnan(filter.at_least()) && !std::isnan(filter.at_most()), name,
        "nothing is at least or at most nan");
  }
}

void CheckEvents(const v1::EventsConfig& events, Checks& checks) {
  checks.Require(!events.path().empty(), "events.path",
                 "is required: the log of events");
  checks.AtLeast(events.min_events_per_user(), 1, "events.min_events_per_user");
  checks.Positive(events.weight_scale(), "events.weight_scale");
  CheckFilters(events.filters(), "events.filters", checks);
  CheckFilters(events.target_filters(), "events.target_filters", checks);
  CheckFilters(events.negative_filters(), "events.negative_filters", checks);
  checks.Require(events.negatives() == v1::EventsConfig::IGNORE ||
                     !events.negative_filters().empty(),
                 "events.negatives",
                 "MASK and EXPLICIT need events.negative_filters");
}

void CheckVector(const v1::ItemFeature& feature, const std::string& name,
                 Checks& checks) {
  checks.Require(feature.source() != v1::ItemFeature::EVENTS, name + ".source",
                 "a VECTOR comes from ITEMS or MAPPING");
  checks.Require(feature.embedding_width() <= 0, name + ".embedding_width",
                 "is not for a VECTOR, which is taken as it is");
  checks.Require(!feature.separator().empty(), name + ".separator",
                 "must not be empty for a VECTOR");
}

// A column of items that is read, of features or of attributes.
void CheckItemColumn(const v1::ItemFeature& column, const std::string& name,
                     const v1::ItemsConfig& items, Checks& checks) {
  const bool mapping = column.source() == v1::ItemFeature::MAPPING;
  checks.Require(!mapping || !column.mapping_path().empty(),
                 name + ".mapping_path", "is required for source MAPPING");
  checks.Require(mapping || !column.has_mapping_path(), name + ".mapping_path",
                 "is for source MAPPING only");
  checks.Require(!mapping || column.kind() != v1::NUMERIC, name + ".kind",
                 "a mapping holds categories, not numbers");
  checks.Require(
      column.source() != v1::ItemFeature::ITEMS || !items.path().empty(),
      name + ".source", "ITEMS needs items.path");
}

void CheckAttributes(const v1::ItemsConfig& items, Checks& checks) {
  std::set<std::string> names;
  for (int i = 0; i < items.attributes_size(); ++i) {
    const v1::ItemFeature& attribute = items.attributes(i);
    const std::string name = absl::StrCat("items.attributes[", i, "]");
    checks.Require(!attribute.name().empty(), name + ".name", "is required");
    checks.Require(names.insert(attribute.name()).second, name + ".name",
                   absl::StrCat("\"", attribute.name(), "\" is there twice"));
    const auto feature = std::find_if(
        items.features().begin(), items.features().end(),
        [&](const v1::ItemFeature& f) { return f.name() == attribute.name(); });
    const bool own = feature == items.features().end();
    checks.Require((own ? attribute : *feature).kind() != v1::VECTOR,
                   name + ".kind", "requests cannot filter by a VECTOR");
    if (own) {
      CheckItemColumn(attribute, name, items, checks);
      checks.Require(
          !attribute.has_embedding_width() && !attribute.has_transform(), name,
          "embedding_width and transform are for features");
    } else {
      v1::ItemFeature name_alone;
      name_alone.set_name(attribute.name());
      checks.Require(
          attribute.SerializeAsString() == name_alone.SerializeAsString(), name,
          absl::StrCat("is the feature \"", attribute.name(),
                       "\": set nothing but the name, or take another name"));
    }
  }
}

void CheckItems(const v1::ItemsConfig& items, Checks& checks) {
  checks.AtLeast(items.embedding_width(), 0, "items.embedding_width");
  std::set<std::string> names;
  checks.Require(items.features_size() <= kMostItemFeatures, "items.features",
                 absl::StrCat("are ", items.features_size(),
                              ", must be at most ", kMostItemFeatures));
  for (int i = 0; i < items.features_size(); ++i) {
    const v1::ItemFeature& feature = items.features(i);
    const std::string name = absl::StrCat("items.features[", i, "]");
    checks.Require(!feature.name().empty(), name + ".name", "is required");
    checks.Require(names.insert(feature.name()).second, name + ".name",
                   absl::StrCat("\"", feature.name(), "\" is there twice"));
    checks.AtLeast(feature.embedding_width(), 0, name + ".embedding_width");
    CheckItemColumn(feature, name, items, checks);
    if (feature.kind() == v1::VECTOR) CheckVector(feature, name, checks);
  }
  CheckAttributes(items, checks);
  checks.Require(items.display_columns().empty() || !items.path().empty(),
                 "items.display_columns", "need items.path");
  checks.Require(
      items.catalogue() != v1::ItemsConfig::ALL || !items.path().empty(),
      "items.catalogue", "ALL needs items.path");
  checks.AtLeast(items.unknown_buckets(), 1, "items.unknown_buckets");
}

void CheckQueryFeatures(
    const google::protobuf::RepeatedPtrField<v1::QueryFeature>& features,
    absl::string_view field, std::set<std::string>& names, Checks& checks) {
  for (int i = 0; i < features.size(); ++i) {
    const std::string name = absl::StrCat(field, "[", i, "]");
    checks.Require(!features[i].name().empty(), name + ".name", "is required");
    checks.Require(names.insert(features[i].name()).second, name + ".name",
                   absl::StrCat("\"", features[i].name(), "\" is there twice"));
    checks.Require(features[i].kind() == v1::CATEGORICAL ||
                       features[i].kind() == v1::NUMERIC,
                   name + ".kind", "must be CATEGORICAL or NUMERIC");
    checks.AtLeast(features[i].embedding_width(), 0, name + ".embedding_width");
  }
}

void CheckUsers(const v1::TrainerConfig& config, Checks& checks) {
  const v1::UsersConfig& users = config.users();
  // A request names both kinds alike.
  std::set<std::string> names;
  CheckQueryFeatures(users.features(), "users.features", names, checks);
  CheckQueryFeatures(config.request_features(), "request_features", names,
                     checks);
  checks.Require(users.features().empty() || !users.path().empty(),
                 "users.features", "need users.path");
  checks.AtLeast(users.embedding_width(), 0, "users.embedding_width");
  checks.AtLeast(users.unknown_buckets(), 1, "users.unknown_buckets");
}

void CheckSplit(const v1::TrainerConfig& config, Checks& checks) {
  const v1::SplitConfig& split = config.split();
  checks.Require(split.kind() == v1::SplitConfig::LEAVE_ONE_OUT ||
                     config.events().time_unit() == v1::EventsConfig::SECONDS,
                 "split.kind",
                 "LAST_DAYS needs events.time_unit SECONDS; with ORDER use "
                 "LEAVE_ONE_OUT");
  checks.Require(split.test_days() > 0, "split.test_days", "must be above 0");
  checks.Require(split.validation_days() >= 0, "split.validation_days",
                 "must not be negative");
  checks.Require(split.gap_minutes() >= 0, "split.gap_minutes",
                 "must not be negative");
  checks.Require(
      split.kind() == v1::SplitConfig::LAST_DAYS || split.gap_minutes() == 0,
      "split.gap_minutes", "is for kind LAST_DAYS only");
}

void CheckWindow(const v1::TrainerConfig& config, Checks& checks) {
  const v1::WindowConfig& window = config.window();
  checks.AtLeast(window.history_length(), 1, "window.history_length");
  checks.AtLeast(window.min_history(), 1, "window.min_history");
  checks.AtLeast(window.max_windows_per_user(), 1,
                 "window.max_windows_per_user");
  // A batch counts the items of its histories, seeds and targets in 32 bits.
  const int64_t batch =
      std::max<int64_t>(config.training().batch_size(), kEmbedBatch);
  checks.Require((window.history_length() + int64_t{2}) * batch <=
                     std::numeric_limits<int32_t>::max(),
                 "window.history_length",
                 absl::StrCat("is ", window.history_length(),
                              ", too many for batches of ", batch));
}

}  // namespace

void CheckData(const v1::TrainerConfig& config, Checks& checks) {
  CheckEvents(config.events(), checks);
  CheckItems(config.items(), checks);
  CheckUsers(config, checks);
  CheckSplit(config, checks);
  CheckWindow(config, checks);
}

}  // namespace segue
