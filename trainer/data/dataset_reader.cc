#include "trainer/data/dataset_reader.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "trainer/data/attribute_reader.h"
#include "trainer/data/event_reader.h"
#include "trainer/data/feature_config.h"

namespace segue {
namespace {

using FeatureBuilders = std::vector<std::unique_ptr<FeatureBuilder>>;
using Say = std::function<void(const std::string&)>;

std::vector<int32_t> Identity(int32_t rows) {
  std::vector<int32_t> same(rows);
  std::iota(same.begin(), same.end(), 0);
  return same;
}

// The ids that kept a row, in their old order.
Vocabulary KeepIds(const Vocabulary& old, const std::vector<int32_t>& new_rows,
                   int32_t unknown_buckets) {
  Vocabulary kept(unknown_buckets);
  for (int32_t row = 0; row < old.size(); ++row) {
    if (new_rows[row] != kDropped) kept.Add(old.id(row));
  }
  return kept;
}

absl::Status NoEvents(const v1::EventsConfig& config,
                      const ReadCounts& counts) {
  return absl::InvalidArgumentError(absl::StrCat(
      config.path(), ": no event is left of ", counts.event_rows,
      " rows: ", counts.filtered_rows, " were filtered out, ", counts.null_rows,
      " lack user, item or time, ", counts.dislike_rows, " are dislikes, ",
      counts.dropped_events, " are of users with fewer than ",
      config.min_events_per_user(), " events"));
}

// Features and attributes of items on their way: those of EVENTS know rows as
// they were before users were dropped.
struct ItemBuilders {
  FeatureBuilders builders;  // parallel to ItemColumns()
  std::vector<int32_t> new_rows_of_events;
};

// Events into dataset.{users, items, log, counts}.
absl::StatusOr<ItemBuilders> ReadEvents(
    const v1::TrainerConfig& config,
    const std::function<void(absl::string_view)>& progress, Dataset& dataset) {
  EventReader reader(config, progress);
  ASSIGN_OR_RETURN(EventsRead read, reader.Read());
  dataset.counts = read.counts;
  SortedEvents sorted = read.log.Finish(read.users.size(), read.items.size(),
                                        config.events().min_events_per_user());
  dataset.users =
      KeepIds(read.users, sorted.new_users, config.users().unknown_buckets());
  dataset.items =
      KeepIds(read.items, sorted.new_items, config.items().unknown_buckets());
  dataset.log = std::move(sorted.log);
  dataset.log.time_unit = config.events().time_unit();
  dataset.counts.duplicate_events = sorted.duplicate_events;
  dataset.counts.dropped_events = sorted.dropped_events;
  dataset.counts.dropped_dislikes = sorted.dropped_dislikes;
  dataset.counts.dropped_users = read.users.size() - dataset.users.size();
  if (dataset.log.size() == 0) return NoEvents(config.events(), dataset.counts);
  const std::vector<bool>& targets = dataset.log.targets;
  dataset.counts.target_events =
      targets.empty() ? dataset.log.size()
                      : std::count(targets.begin(), targets.end(), true);
  if (dataset.counts.target_events == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(config.events().path(),
                     ": events.target_filters hold for "
                     "none of the ",
                     dataset.log.size(), " events"));
  }
  return ItemBuilders{std::move(read.item_columns),
                      std::move(sorted.new_items)};
}

absl::StatusOr<AttributeCounts> ReadItemsFile(const v1::ItemsConfig& config,
                                              FeatureBuilders& builders,
                                              Dataset& dataset) {
  AttributeTable table{config.path(), config.id_column(), "item"};
  table.add_owners = config.catalogue() == v1::ItemsConfig::ALL;
  const std::vector<const v1::ItemFeature*> columns = ItemColumns(config);
  for (size_t c = 0; c < columns.size(); ++c) {
    if (columns[c]->source() == v1::ItemFeature::ITEMS) {
      table.features.push_back({ColumnOf(*columns[c]), builders[c].get()});
    }
  }
  for (const std::string& column : config.display_columns()) {
    table.display_columns.push_back(column);
  }
  ASSIGN_OR_RETURN(AttributeCounts counts,
                   ReadAttributes(table, dataset.items));
  dataset.display = std::move(counts.display);
  dataset.counts.item_rows = counts.rows;
  dataset.counts.item_rows_unused = counts.unused;
  dataset.counts.duplicate_item_rows = counts.duplicates;
  dataset.counts.items_without_row = counts.without_row;
  return counts;
}

// Mappings into their builders, now that the items are known.
absl::Status ReadMappings(const v1::ItemsConfig& config, const Say& say,
                          FeatureBuilders& builders, Dataset& dataset) {
  const std::vector<const v1::ItemFeature*> columns = ItemColumns(config);
  for (size_t c = 0; c < columns.size(); ++c) {
    const v1::ItemFeature& feature = *columns[c];
    if (feature.source() != v1::ItemFeature::MAPPING) continue;
    if (feature.mapping_path().empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("items: '", feature.name(),
                       "' has the source MAPPING; expected a mapping_path"));
    }
    say(absl::StrCat("reading ", feature.mapping_path()));
    RETURN_IF_ERROR(
        ReadMapping(feature.mapping_path(), feature.mapping_item_column(),
                    ColumnOf(feature), dataset.items, *builders[c]));
  }
  return absl::OkStatus();
}

absl::Status CheckVectors(const v1::ItemFeature& feature,
                          const FeatureBuilder& builder, int32_t items,
                          const Say& say) {
  const int64_t vectors = builder.vectors().vectors();
  if (vectors == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("items: '", feature.name(), "': column '",
                     ColumnOf(feature), "' has no vector of any item"));
  }
  say(absl::StrCat("feature ", feature.name(), ": ", vectors, " of ", items,
                   " items have a vector"));
  return absl::OkStatus();
}

// Returns what it read of items.path; nothing if there is none.
absl::StatusOr<AttributeCounts> ReadItems(const v1::ItemsConfig& config,
                                          const Say& say, ItemBuilders read,
                                          Dataset& dataset) {
  AttributeCounts file;
  const std::vector<const v1::ItemFeature*> columns = ItemColumns(config);
  for (size_t c = 0; c < columns.size(); ++c) {
    const v1::ItemFeature& column = *columns[c];
    if (column.source() == v1::ItemFeature::EVENTS) continue;
    read.builders[c] = std::make_unique<FeatureBuilder>(
        column.name(), column.kind(), column.separator());
    read.builders[c]->Reserve(dataset.items.size());
    if (column.source() == v1::ItemFeature::ITEMS && config.path().empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("items: '", column.name(),
                       "' is a column of items.path, which is not set"));
    }
  }
  if (!config.path().empty()) {
    say(absl::StrCat("reading ", config.path()));
    ASSIGN_OR_RETURN(file, ReadItemsFile(config, read.builders, dataset));
  } else if (!config.display_columns().empty()) {
    return absl::InvalidArgumentError(
        "items.display_columns are columns of items.path, which is not set");
  }
  RETURN_IF_ERROR(ReadMappings(config, say, read.builders, dataset));
  const std::vector<int32_t> same = Identity(dataset.items.size());
  for (size_t c = 0; c < columns.size(); ++c) {
    const bool of_events = columns[c]->source() == v1::ItemFeature::EVENTS;
    if (columns[c]->kind() == v1::VECTOR) {
      RETURN_IF_ERROR(CheckVectors(*columns[c], *read.builders[c],
                                   dataset.items.size(), say));
    }
    std::vector<FeatureTable>& tables =
        c < static_cast<size_t>(config.features_size())
            ? dataset.item_features
            : dataset.item_attributes;
    tables.push_back(read.builders[c]->Finish(
        dataset.items.size(), of_events ? read.new_rows_of_events : same));
  }
  return file;
}

// What the filters of targets and of dislikes made of the events.
void SayFilters(const v1::EventsConfig& config, const Dataset& dataset,
                const Say& say) {
  const ReadCounts& counts = dataset.counts;
  if (!config.target_filters().empty()) {
    say(absl::StrCat(counts.target_events, " of ", dataset.log.size(),
                     " events can be targets"));
  }
  if (!config.negative_filters().empty()) {
    say(absl::StrCat(counts.dislike_rows, " dislikes, of which ",
                     counts.dropped_dislikes,
                     " are of users or items without events"));
  }
}

absl::Status ReadUsers(const v1::UsersConfig& config, Dataset& dataset) {
  if (config.path().empty()) {
    if (config.features().empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("users.features: '", config.features(0).name(),
                     "' is a column of users.path, which is not set"));
  }
  AttributeTable table{config.path(), config.id_column(), "user"};
  FeatureBuilders builders;
  for (const v1::QueryFeature& feature : config.features()) {
    RETURN_IF_ERROR(CheckQueryFeature("users.features", feature));
    builders.push_back(std::make_unique<FeatureBuilder>(
        feature.name(), feature.kind(), /*separator=*/""));
    table.features.push_back({ColumnOf(feature), builders.back().get()});
  }
  ASSIGN_OR_RETURN(const AttributeCounts counts,
                   ReadAttributes(table, dataset.users));
  dataset.counts.user_rows = counts.rows;
  dataset.counts.user_rows_unused = counts.unused;
  dataset.counts.duplicate_user_rows = counts.duplicates;
  dataset.counts.users_without_row = counts.without_row;
  const std::vector<int32_t> same = Identity(dataset.users.size());
  for (const auto& builder : builders) {
    dataset.user_features.push_back(
        builder->Finish(dataset.users.size(), same));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Dataset> ReadDataset(
    const v1::TrainerConfig& config,
    const std::function<void(absl::string_view)>& progress) {
  const Say say = [&](const std::string& line) {
    if (progress) progress(line);
  };
  if (config.users().unknown_buckets() < 1 ||
      config.items().unknown_buckets() < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "users.unknown_buckets is ", config.users().unknown_buckets(),
        ", items.unknown_buckets is ", config.items().unknown_buckets(),
        "; both must be at least 1"));
  }
  Dataset dataset;
  say(absl::StrCat("reading ", config.events().path()));
  ASSIGN_OR_RETURN(ItemBuilders builders,
                   ReadEvents(config, progress, dataset));
  SayFilters(config.events(), dataset, say);
  RETURN_IF_ERROR(
      ReadItems(config.items(), say, std::move(builders), dataset).status());
  RETURN_IF_ERROR(ReadUsers(config.users(), dataset));
  say(absl::StrCat(dataset.log.size(), " events of ", dataset.users.size(),
                   " users and ", dataset.items.size(), " items"));
  return dataset;
}

absl::StatusOr<Catalogue> ReadCatalogue(
    const v1::ItemsConfig& config, Vocabulary known,
    const std::function<void(absl::string_view)>& progress) {
  const Say say = [&](const std::string& line) {
    if (progress) progress(line);
  };
  v1::ItemsConfig all = config;
  all.set_catalogue(v1::ItemsConfig::ALL);
  ItemBuilders builders;
  for (const v1::ItemFeature* column : ItemColumns(all)) {
    builders.builders.push_back(std::make_unique<FeatureBuilder>(
        column->name(), column->kind(), column->separator()));
  }
  Catalogue catalogue;
  catalogue.data.items = std::move(known);
  ASSIGN_OR_RETURN(AttributeCounts file,
                   ReadItems(all, say, std::move(builders), catalogue.data));
  if (file.duplicates > 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(file.first_duplicate, " has a row already; ",
                     file.duplicates, " rows are such"));
  }
  catalogue.listed = std::move(file.has_row);
  return catalogue;
}

}  // namespace segue
