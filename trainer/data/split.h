// Divides each user's events into training, validation and test.
#ifndef SEGUE_TRAINER_DATA_SPLIT_H_
#define SEGUE_TRAINER_DATA_SPLIT_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "segue/v1/config.pb.h"
#include "trainer/data/dataset.h"

namespace segue {

// One question with known answers: what follows the user's events before
// `target`? Its history is [user_begins[user], target), newest last; it may
// reach back across the cut.
struct EvaluationQuery {
  int32_t user = 0;
  // Event, index into the log: the request is made in its place.
  int64_t target = 0;
  // The items of the events [target + gap, target + gap + targets) are the
  // answers; by default that of `target` itself.
  int32_t gap = 0;
  int32_t targets = 1;
};

struct Split {
  // Training events of user u: [user_begins[u], train_ends[u]).
  std::vector<int64_t> train_ends;          // [users]
  std::vector<EvaluationQuery> validation;  // every one, by user and time
  std::vector<EvaluationQuery> test;
  std::vector<bool> item_in_training;  // [items]
  std::vector<bool> user_in_training;  // [users]
  int64_t training_events = 0;
  // Latest time of a training event; example ages count from it.
  uint32_t latest_training_time = 0;
};

// LEAVE_ONE_OUT: a user with three or more events gives the last to the test
// and the one before it to validation; one with fewer gives all to training.
// Where not every event can be a target (EventLog::IsTarget), it is the last
// two targets, and what follows the last one is in no part.
//
// LAST_DAYS: events in the last test_days (counted back from the newest event
// of the log) are the test, those in the validation_days before validation.
// Events in the gap_minutes before either period belong to none: a history that
// reaches that far holds them, but they neither train nor are to be found. (The
// benchmark of Yambda, arXiv 2505.22238, leaves them out in the same way.)
// NEXT_ITEM makes a query of each event of a period that has an event of its
// user before it and can be a target; USER_SPLIT makes one of all of a user's,
// with the history that ends before the gap, if there is one.
//
// InvalidArgument if nothing is left to train or to test on, or LAST_DAYS
// meets ORDER.
absl::StatusOr<Split> SplitEvents(const EventLog& log, int32_t items,
                                  const v1::TrainerConfig& config);

// Rows of the items that answer the query, ascending and each once.
std::vector<int32_t> TargetItems(const EventLog& log,
                                 const EvaluationQuery& query);

// At most `max_queries` of them (0: all), drawn evenly with `seed`, in their
// old order.
std::vector<EvaluationQuery> SampleQueries(
    const std::vector<EvaluationQuery>& queries, int32_t max_queries,
    uint64_t seed);

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_SPLIT_H_
