// Collects events in any order and sorts them into an EventLog.
#ifndef SEGUE_TRAINER_DATA_EVENT_LOG_BUILDER_H_
#define SEGUE_TRAINER_DATA_EVENT_LOG_BUILDER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "segue/v1/config.pb.h"
#include "trainer/data/chunked_column.h"
#include "trainer/data/column.h"
#include "trainer/data/dataset.h"
#include "trainer/data/feature_builder.h"
#include "trainer/data/id_encoder.h"

namespace segue {

// What Finish() made of the rows that were added.
struct SortedEvents {
  EventLog log;
  std::vector<int32_t> new_users;  // by old row; kDropped: too few events
  std::vector<int32_t> new_items;  // by old row; kDropped: no event is left
  int64_t dropped_events = 0;
  int64_t dropped_dislikes = 0;
  int64_t duplicate_events = 0;
};

// At its peak, while a column is permuted, 16 bytes an event, 1 more for target
// flags, and 4 more for weights and for each request feature. One thread.
class EventLogBuilder {
 public:
  EventLogBuilder(bool has_weights, bool has_targets)
      : has_weights_(has_weights), has_targets_(has_targets) {}

  // Announces one more request feature; CATEGORICAL or NUMERIC.
  void AddRequestFeature(const v1::QueryFeature& feature);

  // One event. `weight` in [0, 1].
  void Add(int32_t user, int32_t item, uint32_t time, float weight,
           bool is_target);
  // The newest event's value of request feature f, from row i; call once for
  // each feature after each Add(). InvalidArgument, without the cell.
  absl::Status AddFeature(int f, const Column& column, int64_t i);

  // One event that is a dislike.
  void AddDislike(int32_t user, int32_t item, uint32_t time) {
    dislikes_.push_back({user, item, time});
  }

  int64_t size() const { return items_.size(); }

  // Sorts by (user, time, order of adding). Users with fewer than `min_events`
  // are left out, and rows close up; dislikes neither keep a user nor an item.
  // Leaves the builder empty.
  SortedEvents Finish(int32_t users, int32_t items, int64_t min_events);

 private:
  struct RequestFeature {
    v1::QueryFeature config;
    std::unique_ptr<Vocabulary> values;
    std::unique_ptr<IdEncoder> encoder;
    ChunkedColumn<int32_t> value_rows;  // CATEGORICAL; -1: none
    ChunkedColumn<double> numbers;      // NUMERIC; NaN: none
  };

  struct Dislike {
    int32_t user;
    int32_t item;
    uint32_t time;
  };

  template <typename Index>
  void SortInto(SortedEvents& sorted);
  template <typename Index>
  std::vector<Index> SortedOrder(const SortedEvents& sorted);
  template <typename Index>
  static FeatureTable SortFeature(const std::vector<Index>& order,
                                  RequestFeature& feature);
  void DropUsers(int32_t users, int64_t min_events, SortedEvents& sorted) const;
  void SortDislikes(SortedEvents& sorted);

  bool has_weights_;
  bool has_targets_;
  ChunkedColumn<int32_t> users_;
  ChunkedColumn<int32_t> items_;
  ChunkedColumn<uint32_t> times_;
  ChunkedColumn<float> weights_;
  ChunkedColumn<bool> targets_;
  std::vector<Dislike> dislikes_;
  std::vector<RequestFeature> features_;
};

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_EVENT_LOG_BUILDER_H_
