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

// Seconds at which the periods begin and what is known before them ends: by the
// length of the gap earlier.
struct Cuts {
  double training_end = 0;
  double validation_begin = 0;
  double validation_end = 0;
  double test_begin = 0;
};

Cuts FindCuts(const EventLog& log, const v1::SplitConfig& config) {
  double newest = 0;
  for (const uint32_t time : log.times) {
    newest = std::max<double>(newest, time);
  }
  const double gap = config.gap_minutes() * 60;
  Cuts cuts;
  // Where a period has no days, not even the newest event lies in it.
  cuts.test_begin = config.test_days() > 0
                        ? newest - config.test_days() * kSecondsPerDay
                        : newest + 1;
  cuts.validation_end = cuts.test_begin - gap;
  cuts.validation_begin =
      cuts.validation_end - config.validation_days() * kSecondsPerDay;
  cuts.training_end = config.validation_days() > 0 ? cuts.validation_begin - gap
                                                   : cuts.validation_end;
  return cuts;
}

// Queries about the user's events [begin, end); those before `known_end` are
// known when that period begins.
void AddQueries(const EventLog& log, int32_t user, int64_t known_end,
                int64_t begin, int64_t end,
                v1::EvaluationConfig::Protocol protocol,
                std::vector<EvaluationQuery>& queries) {
  const int64_t first = log.user_begins[user];
  if (protocol == v1::EvaluationConfig::USER_SPLIT) {
    int64_t targets = 0;
    for (int64_t e = begin; e < end; ++e) targets += log.IsTarget(e) ? 1 : 0;
    if (known_end == first || targets == 0) return;
    queries.push_back({.user = user,
                       .target = known_end,
                       .gap = static_cast<int32_t>(begin - known_end),
                       .targets = static_cast<int32_t>(end - begin)});
    return;
  }
  for (int64_t e = std::max(begin, first + 1); e < end; ++e) {
    if (log.IsTarget(e)) queries.push_back({user, e});
  }
}

absl::Status LastDays(const EventLog& log, const v1::SplitConfig& config,
                      v1::EvaluationConfig::Protocol protocol, Split& split) {
  // A NaN is no number of days either.
  if (!(config.test_days() >= 0) || !(config.validation_days() >= 0) ||
      !(config.gap_minutes() >= 0)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "split: test_days is ", config.test_days(), ", validation_days is ",
        config.validation_days(), ", gap_minutes is ", config.gap_minutes(),
        "; none may be negative"));
  }
  const Cuts cuts = FindCuts(log, config);
  for (int32_t user = 0; user < log.users(); ++user) {
    const int64_t end = log.user_begins[user + 1];
    int64_t from = log.user_begins[user];
    const auto advance = [&](double time) {
      from = std::partition_point(
                 log.times.begin() + from, log.times.begin() + end,
                 [&](uint32_t t) { return static_cast<double>(t) < time; }) -
             log.times.begin();
      return from;
    };
    const int64_t training_end = advance(cuts.training_end);
    const int64_t validation_begin = advance(cuts.validation_begin);
    const int64_t validation_end = advance(cuts.validation_end);
    const int64_t test_begin = advance(cuts.test_begin);
    split.train_ends[user] = training_end;
    AddQueries(log, user, training_end, validation_begin, validation_end,
               protocol, split.validation);
    AddQueries(log, user, validation_end, test_begin, end, protocol,
               split.test);
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
    RETURN_IF_ERROR(
        LastDays(log, config.split(), config.evaluation().protocol(), split));
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

std::vector<int32_t> TargetItems(const EventLog& log,
                                 const EvaluationQuery& query) {
  const int64_t begin = query.target + query.gap;
  std::vector<int32_t> items;
  for (int64_t e = begin; e < begin + query.targets; ++e) {
    if (log.IsTarget(e)) items.push_back(log.items[e]);
  }
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
  return items;
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
