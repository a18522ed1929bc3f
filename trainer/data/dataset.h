// What a run trains on, in memory: the ordered log of events, and the features
// of items and users. data/dataset_reader.h fills it.
#ifndef SEGUE_TRAINER_DATA_DATASET_H_
#define SEGUE_TRAINER_DATA_DATASET_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "core/schema/vocabulary.h"
#include "segue/v1/bundle.pb.h"
#include "segue/v1/config.pb.h"

namespace segue {

// One feature of the rows of a vocabulary (items, users) or of the events.
// Values stay as they were read, but for those of a VECTOR; scales and
// embeddings are the model's.
struct FeatureTable {
  std::string name;
  v1::FeatureKind kind = v1::CATEGORICAL;

  // CATEGORICAL and MULTI_CATEGORICAL: the values of row r are
  // value_rows[begins[r] .. begins[r + 1]), rows of `values`; none where the
  // source had none. A CATEGORICAL row has at most one.
  Vocabulary values{1};
  std::vector<int64_t> begins;  // [rows + 1]
  std::vector<int32_t> value_rows;

  // NUMERIC: NaN where the source had none.
  std::vector<double> numbers;  // [rows]

  // VECTOR: standardised (data_config.proto), zeros where the source had none.
  std::vector<float> vectors;  // [rows, vector_width]
  int32_t vector_width = 0;
  v1::VectorScale vector_scale;  // what standardised them

  absl::Span<const int32_t> Values(int64_t row) const {
    return absl::MakeConstSpan(value_rows)
        .subspan(begins[row], begins[row + 1] - begins[row]);
  }
};

// What users turned down, ordered as the events are; user u's are
// [user_begins[u], user_begins[u + 1]). user_begins is empty too where there
// are none.
struct Dislikes {
  std::vector<int64_t> user_begins;  // [users + 1]
  std::vector<int32_t> items;        // rows of Dataset::items
  std::vector<uint32_t> times;       // as EventLog::times
};

// Counted events, ordered by (user, time, file path, row number); user u's are
// [user_begins[u], user_begins[u + 1]). 8 bytes an event, 12 with weights.
struct EventLog {
  std::vector<int64_t> user_begins;  // [users + 1]
  std::vector<int32_t> items;        // rows of Dataset::items
  // Seconds, or, for TimeUnit ORDER, whatever order the column gave.
  std::vector<uint32_t> times;
  v1::EventsConfig::TimeUnit time_unit = v1::EventsConfig::SECONDS;
  std::vector<float> weights;  // in [0, 1]; empty: all 1
  // Whether events.target_filters hold; empty: for every event.
  std::vector<bool> targets;
  Dislikes dislikes;
  // Request features, parallel to the config's request_features; row e is
  // event e.
  std::vector<FeatureTable> request_features;

  int64_t size() const { return static_cast<int64_t>(items.size()); }
  int32_t users() const { return static_cast<int32_t>(user_begins.size()) - 1; }
  // Whether the event may be predicted; if not it is history only.
  bool IsTarget(int64_t event) const {
    return targets.empty() || targets[event];
  }
  // Whose event it is. REQUIRES: 0 <= event < size().
  int32_t UserOf(int64_t event) const {
    // The first who begins after it is the next one; users without events
    // begin where the next one does.
    const auto next =
        std::upper_bound(user_begins.begin(), user_begins.end(), event);
    return static_cast<int32_t>(next - user_begins.begin()) - 1;
  }
};

// Rows read and what became of them; part of the report.
struct ReadCounts {
  int64_t event_rows = 0;           // in the files
  int64_t filtered_rows = 0;        // an EventFilter did not hold
  int64_t null_rows = 0;            // user, item or time was null: left out
  int64_t null_weights = 0;         // of counted events: such a weight is 1
  int64_t duplicate_events = 0;     // same user, item and time as another: kept
  int64_t dropped_users = 0;        // fewer than min_events_per_user events
  int64_t dropped_events = 0;       // theirs
  int64_t target_events = 0;        // of those that are left
  int64_t dislike_rows = 0;         // events.negative_filters held
  int64_t dropped_dislikes = 0;     // of users or items without counted events
  int64_t item_rows = 0;            // in items.path
  int64_t item_rows_unused = 0;     // no item of the catalogue
  int64_t duplicate_item_rows = 0;  // an id a second time: the first one counts
  int64_t items_without_row = 0;    // items.path lacks them
  int64_t user_rows = 0;            // the same four of users.path
  int64_t user_rows_unused = 0;
  int64_t duplicate_user_rows = 0;
  int64_t users_without_row = 0;
};

struct Dataset {
  Vocabulary users{1};
  Vocabulary items{1};
  EventLog log;
  // Parallel to config.items.features; row i is item i.
  std::vector<FeatureTable> item_features;
  // Those of config.items.attributes that are no features.
  std::vector<FeatureTable> item_attributes;
  // Parallel to config.users.features; row u is user u.
  std::vector<FeatureTable> user_features;
  // Parallel to config.items.display_columns: [column][item].
  std::vector<std::vector<std::string>> display;
  ReadCounts counts;
};

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_DATASET_H_
