#include "trainer/data/event_reader.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "trainer/data/feature_config.h"

namespace segue {
namespace {

constexpr int64_t kRowsPerProgressLine = 5'000'000;

}  // namespace

EventReader::EventReader(const v1::TrainerConfig& config,
                         std::function<void(absl::string_view)> progress)
    : config_(config),
      progress_(std::move(progress)),
      read_(!config.events().weight_column().empty(),
            !config.events().target_filters().empty()),
      user_encoder_(&read_.users),
      item_encoder_(&read_.items) {}

int EventReader::Request(const ColumnRequest& wanted) {
  const auto same = std::find_if(
      requests_.begin(), requests_.end(), [&](const ColumnRequest& request) {
        return request.name == wanted.name && request.type == wanted.type;
      });
  if (same != requests_.end()) return same - requests_.begin();
  requests_.push_back(wanted);
  return static_cast<int>(requests_.size()) - 1;
}

absl::Status EventReader::PrepareFilters() {
  const v1::EventsConfig& events = config_.events();
  const auto request = [this](const ColumnRequest& wanted) {
    return Request(wanted);
  };
  ASSIGN_OR_RETURN(filters_, FilterSet::Create(events.filters(), request));
  ASSIGN_OR_RETURN(target_filters_,
                   FilterSet::Create(events.target_filters(), request));
  ASSIGN_OR_RETURN(negative_filters_,
                   FilterSet::Create(events.negative_filters(), request));
  return absl::OkStatus();
}

absl::Status EventReader::Prepare() {
  const v1::EventsConfig& events = config_.events();
  if (events.path().empty()) {
    return absl::InvalidArgumentError(
        "events.path is not set; expected a .parquet, .csv or .csv.gz file, or "
        "a folder of them");
  }
  user_ = Request({events.user_column(), ColumnType::kId});
  item_ = Request({events.item_column(), ColumnType::kId});
  time_ = Request({events.time_column(), ColumnType::kInteger});
  if (!events.weight_column().empty()) {
    weight_ = Request({events.weight_column(), ColumnType::kNumber});
  }
  RETURN_IF_ERROR(PrepareFilters());
  for (const v1::ItemFeature* feature : ItemColumns(config_.items())) {
    item_column_requests_.push_back(-1);
    read_.item_columns.emplace_back();
    if (feature->source() != v1::ItemFeature::EVENTS) continue;
    if (feature->kind() == v1::VECTOR) {
      return absl::InvalidArgumentError(
          absl::StrCat("items: '", feature->name(),
                       "' is a VECTOR; expected the source ITEMS or MAPPING"));
    }
    read_.item_columns.back() = std::make_unique<FeatureBuilder>(
        feature->name(), feature->kind(), feature->separator());
    item_column_requests_.back() =
        Request({ColumnOf(*feature), read_.item_columns.back()->column_type()});
  }
  for (const v1::QueryFeature& feature : config_.request_features()) {
    RETURN_IF_ERROR(CheckQueryFeature("request_features", feature));
    read_.log.AddRequestFeature(feature);
    request_feature_columns_.push_back(Request(
        {ColumnOf(feature), feature.kind() == v1::NUMERIC ? ColumnType::kNumber
                                                          : ColumnType::kId}));
  }
  return absl::OkStatus();
}

absl::Status EventReader::AtCell(int request, int64_t row,
                                 const absl::Status& status) const {
  if (status.ok()) return status;
  return absl::Status(
      status.code(),
      absl::StrCat(table_->CellName(request, row), ": ", status.message()));
}

absl::StatusOr<uint32_t> EventReader::Time(const RowBatch& batch,
                                           int64_t row) const {
  const int64_t time = batch.columns[time_].integers[row];
  constexpr int64_t kMax = std::numeric_limits<uint32_t>::max();
  if (time >= 0 && time <= kMax) return static_cast<uint32_t>(time);
  const bool order = config_.events().time_unit() == v1::EventsConfig::ORDER;
  return AtCell(time_, row,
                absl::InvalidArgumentError(absl::StrCat(
                    "expected ", order ? "a place in the order" : "seconds",
                    " from 0 to ", kMax, ", found ", time,
                    time > kMax && !order ? " (milliseconds?)" : "")));
}

absl::StatusOr<float> EventReader::Weight(const RowBatch& batch, int64_t row) {
  if (weight_ < 0) return 1;
  const Column& column = batch.columns[weight_];
  if (column.IsNull(row)) {
    ++read_.counts.null_weights;
    return 1;
  }
  const double weight = column.numbers[row];
  if (weight < 0) {
    return AtCell(weight_, row,
                  absl::InvalidArgumentError(absl::StrCat(
                      "expected a weight of at least 0, found ", weight)));
  }
  return static_cast<float>(
      std::min(weight * config_.events().weight_scale(), 1.0));
}

absl::Status EventReader::AddItemColumns(const RowBatch& batch, int64_t row,
                                         int32_t item) {
  for (size_t f = 0; f < item_column_requests_.size(); ++f) {
    const int request = item_column_requests_[f];
    if (request < 0 || read_.item_columns[f]->HasValue(item)) continue;
    RETURN_IF_ERROR(
        AtCell(request, row,
               read_.item_columns[f]->Add(item, batch.columns[request], row)));
  }
  return absl::OkStatus();
}

absl::Status EventReader::AddRow(const RowBatch& batch, int64_t row) {
  if (!filters_.Holds(batch, row)) {
    ++read_.counts.filtered_rows;
    return absl::OkStatus();
  }
  const Column& users = batch.columns[user_];
  const Column& items = batch.columns[item_];
  if (users.IsNull(row) || items.IsNull(row) ||
      batch.columns[time_].IsNull(row)) {
    ++read_.counts.null_rows;
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const uint32_t time, Time(batch, row));
  const absl::StatusOr<int32_t> user = user_encoder_.Add(users, row);
  if (!user.ok()) return AtCell(user_, row, user.status());
  const absl::StatusOr<int32_t> item = item_encoder_.Add(items, row);
  if (!item.ok()) return AtCell(item_, row, item.status());
  if (!negative_filters_.empty() && negative_filters_.Holds(batch, row)) {
    ++read_.counts.dislike_rows;
    read_.log.AddDislike(*user, *item, time);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const float weight, Weight(batch, row));
  read_.log.Add(*user, *item, time, weight, target_filters_.Holds(batch, row));
  for (size_t f = 0; f < request_feature_columns_.size(); ++f) {
    const int request = request_feature_columns_[f];
    RETURN_IF_ERROR(AtCell(
        request, row, read_.log.AddFeature(f, batch.columns[request], row)));
  }
  return AddItemColumns(batch, row, *item);
}

absl::Status EventReader::AddBatch(const RowBatch& batch) {
  for (int64_t row = 0; row < batch.rows; ++row) {
    RETURN_IF_ERROR(AddRow(batch, row));
  }
  const int64_t before = read_.counts.event_rows;
  read_.counts.event_rows += batch.rows;
  if (progress_ && before / kRowsPerProgressLine !=
                       read_.counts.event_rows / kRowsPerProgressLine) {
    progress_(absl::StrCat("read ", read_.counts.event_rows, " rows of ",
                           config_.events().path()));
  }
  return absl::OkStatus();
}

absl::StatusOr<EventsRead> EventReader::Read() {
  RETURN_IF_ERROR(Prepare());
  ASSIGN_OR_RETURN(table_,
                   TableReader::Open(config_.events().path(), requests_));
  RowBatch batch;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, table_->Next(batch));
    if (!more) break;
    RETURN_IF_ERROR(AddBatch(batch));
  }
  return std::move(read_);
}

}  // namespace segue
