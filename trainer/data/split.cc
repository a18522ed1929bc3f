#include "trainer/data/split.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "trainer/data/permute_index.h"

namespace segue {
namespace {

constexpr double kSecondsPerDay = 86400;

// The last event of [begin, end) that can be a target; begin - 1: there is
// none.
int64_t LastTarget(const EventLog& log, int64_t begin, int64_t end) {
  int64_t last = end - 1;
  while (last >= begin && !log.IsTarget(last)) --last;
  return last;
}

void LeaveOneOut(const EventLog& log, Split& split) {
  for (int32_t user = 0; user < log.users(); ++user) {
    const int64_t begin = log.user_begins[user];
    const int64_t end = log.user_begins[user + 1];
    const int64_t test = LastTarget(log, begin, end);
    const int64_t validation = LastTarget(log, begin, test);
    if (validation <= begin) {
      split.train_ends[user] = end;
      continue;
    }
    split.train_ends[user] = validation;
    split.validation.push_back({user, validation});
    split.test.push_back({user, test});
  }
}

absl::Status LastDays(const EventLog& log, const v1::SplitConfig& config,
                      Split& split) {
  // A NaN is no number of days either.
  if (!(config.test_days() >= 0) || !(config.validation_days() >= 0)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "split: test_days is ", config.test_days(), ", validation_days is ",
        config.validation_days(), "; neither may be negative"));
  }
  double newest = 0;
  for (const uint32_t time : log.times) {
    newest = std::max<double>(newest, time);
  }
  // Where a period has no days, not even the newest event lies in it.
  const double test_begin = config.test_days() > 0
                                ? newest - config.test_days() * kSecondsPerDay
                                : newest + 1;
  const double validation_begin =
      test_begin - config.validation_days() * kSecondsPerDay;
  const auto first_from = [&](int64_t begin, int64_t end, double time) {
    return std::partition_point(
               log.times.begin() + begin, log.times.begin() + end,
               [&](uint32_t t) { return static_cast<double>(t) < time; }) -
           log.times.begin();
  };
  for (int32_t user = 0; user < log.users(); ++user) {
    const int64_t begin = log.user_begins[user];
    const int64_t end = log.user_begins[user + 1];
    const int64_t test = first_from(begin, end, test_begin);
    const int64_t validation = first_from(begin, test, validation_begin);
    split.train_ends[user] = validation;
    for (int64_t e = std::max(validation, begin + 1); e < end; ++e) {
      if (!log.IsTarget(e)) continue;
      (e < test ? split.validation : split.test).push_back({user, e});
    }
  }
  return absl::OkStatus();
}

void MarkTraining(const EventLog& log, Split& split) {
  for (int32_t user = 0; user < log.users(); ++user) {
    const int64_t begin = log.user_begins[user];
    const int64_t end = split.train_ends[user];
    split.user_in_training[user] = end > begin;
    split.training_events += end - begin;
    for (int64_t e = begin; e < end; ++e) {
      split.item_in_training[log.items[e]] = true;
      split.latest_training_time =
          std::max(split.latest_training_time, log.times[e]);
    }
  }
}

}  // namespace

absl::StatusOr<Split> SplitEvents(const EventLog& log, int32_t items,
                                  const v1::TrainerConfig& config) {
  Split split;
  split.train_ends.resize(log.users());
  split.user_in_training.resize(log.users());
  split.item_in_training.resize(items);
  if (config.split().kind() == v1::SplitConfig::LEAVE_ONE_OUT) {
    LeaveOneOut(log, split);
  } else {
    if (config.events().time_unit() == v1::EventsConfig::ORDER) {
      return absl::InvalidArgumentError(
          "split.kind LAST_DAYS needs times in seconds, but events.time_unit "
          "is ORDER; set split.kind to LEAVE_ONE_OUT");
    }
    RETURN_IF_ERROR(LastDays(log, config.split(), split));
  }
  MarkTraining(log, split);
  if (split.training_events == 0 || split.test.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the split leaves ", split.training_events, " of ", log.size(),
        " events to train on and ", split.test.size(),
        " test queries; both are needed: shorten split.test_days and "
        "split.validation_days, or give more events"));
  }
  return split;
}

std::vector<EvaluationQuery> SampleQueries(
    const std::vector<EvaluationQuery>& queries, int32_t max_queries,
    uint64_t seed) {
  const int64_t n = static_cast<int64_t>(queries.size());
  if (max_queries <= 0 || n <= max_queries) return queries;
  std::vector<EvaluationQuery> sample;
  sample.reserve(max_queries);
  for (int64_t i = 0; i < n; ++i) {
    if (PermuteIndex(i, n, seed) < max_queries) sample.push_back(queries[i]);
  }
  return sample;
}

}  // namespace segue
