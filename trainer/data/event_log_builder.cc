#include "trainer/data/event_log_builder.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "core/base/status_macros.h"

namespace segue {
namespace {

// Takes the values of `column` in their new order and frees it.
template <typename T, typename Index>
std::vector<T> Permute(const std::vector<Index>& order,
                       ChunkedColumn<T>& column) {
  std::vector<T> sorted(order.size());
  for (size_t e = 0; e < order.size(); ++e) sorted[e] = column[order[e]];
  column.Clear();
  return sorted;
}

// Rows of items close up where events have gone.
std::vector<int32_t> CloseUpItems(int32_t items, EventLog& log) {
  std::vector<int32_t> new_items(items, kDropped);
  for (const int32_t item : log.items) new_items[item] = 0;
  int32_t next = 0;
  for (int32_t& row : new_items) {
    if (row != kDropped) row = next++;
  }
  for (int32_t& item : log.items) item = new_items[item];
  return new_items;
}

int64_t CountDuplicates(const EventLog& log) {
  int64_t duplicates = 0;
  std::vector<int32_t> together;
  for (int32_t user = 0; user < log.users(); ++user) {
    const int64_t end = log.user_begins[user + 1];
    for (int64_t begin = log.user_begins[user]; begin < end;) {
      int64_t next = begin + 1;
      while (next < end && log.times[next] == log.times[begin]) ++next;
      if (next - begin > 1) {
        together.assign(log.items.begin() + begin, log.items.begin() + next);
        std::sort(together.begin(), together.end());
        duplicates +=
            together.end() - std::unique(together.begin(), together.end());
      }
      begin = next;
    }
  }
  return duplicates;
}

}  // namespace

void EventLogBuilder::AddRequestFeature(const v1::QueryFeature& feature) {
  RequestFeature& added = features_.emplace_back();
  added.config = feature;
  added.values = std::make_unique<Vocabulary>(1);
  added.encoder = std::make_unique<IdEncoder>(added.values.get());
}

void EventLogBuilder::Add(int32_t user, int32_t item, uint32_t time,
                          float weight, bool is_target) {
  users_.push_back(user);
  items_.push_back(item);
  times_.push_back(time);
  if (has_weights_) weights_.push_back(weight);
  if (has_targets_) targets_.push_back(is_target);
}

absl::Status EventLogBuilder::AddFeature(int f, const Column& column,
                                         int64_t i) {
  RequestFeature& feature = features_[f];
  const bool null = column.IsNull(i);
  if (feature.config.kind() == v1::NUMERIC) {
    feature.numbers.push_back(null ? std::numeric_limits<double>::quiet_NaN()
                                   : column.numbers[i]);
    return absl::OkStatus();
  }
  int32_t value = -1;
  if (!null) {
    ASSIGN_OR_RETURN(value, feature.encoder->Add(column, i));
  }
  feature.value_rows.push_back(value);
  return absl::OkStatus();
}

void EventLogBuilder::DropUsers(int32_t users, int64_t min_events,
                                SortedEvents& sorted) const {
  std::vector<int64_t> counts(users);
  for (int64_t e = 0; e < users_.size(); ++e) ++counts[users_[e]];
  sorted.new_users.assign(users, kDropped);
  sorted.log.user_begins.assign(1, 0);
  int32_t kept = 0;
  for (int32_t user = 0; user < users; ++user) {
    if (counts[user] < min_events) {
      sorted.dropped_events += counts[user];
      continue;
    }
    sorted.new_users[user] = kept++;
    sorted.log.user_begins.push_back(sorted.log.user_begins.back() +
                                     counts[user]);
  }
}

template <typename Index>
std::vector<Index> EventLogBuilder::SortedOrder(const SortedEvents& sorted) {
  const std::vector<int64_t>& begins = sorted.log.user_begins;
  std::vector<Index> order(begins.back());
  std::vector<int64_t> next(begins.begin(), begins.end() - 1);
  for (int64_t e = 0; e < users_.size(); ++e) {
    const int32_t user = sorted.new_users[users_[e]];
    if (user != kDropped) order[next[user]++] = static_cast<Index>(e);
  }
  users_.Clear();
  // The order of adding breaks ties, so the sort is a stable one without a
  // buffer.
  const auto before = [&](Index a, Index b) {
    const uint32_t time_a = times_[a];
    const uint32_t time_b = times_[b];
    return time_a != time_b ? time_a < time_b : a < b;
  };
  for (size_t user = 0; user + 1 < begins.size(); ++user) {
    const auto first = order.begin() + begins[user];
    const auto last = order.begin() + begins[user + 1];
    if (!std::is_sorted(first, last, before)) std::sort(first, last, before);
  }
  return order;
}

template <typename Index>
FeatureTable EventLogBuilder::SortFeature(const std::vector<Index>& order,
                                          RequestFeature& feature) {
  FeatureTable table;
  table.name = feature.config.name();
  table.kind = feature.config.kind();
  if (table.kind == v1::NUMERIC) {
    table.numbers = Permute(order, feature.numbers);
    return table;
  }
  table.values = std::move(*feature.values);
  table.value_rows = Permute(order, feature.value_rows);
  table.begins.reserve(order.size() + 1);
  table.begins.push_back(0);
  for (const int32_t value : table.value_rows) {
    table.begins.push_back(table.begins.back() + (value >= 0 ? 1 : 0));
  }
  table.value_rows.erase(
      std::remove(table.value_rows.begin(), table.value_rows.end(), -1),
      table.value_rows.end());
  return table;
}

template <typename Index>
void EventLogBuilder::SortInto(SortedEvents& sorted) {
  const std::vector<Index> order = SortedOrder<Index>(sorted);
  sorted.log.times = Permute(order, times_);
  sorted.log.items = Permute(order, items_);
  if (has_weights_) sorted.log.weights = Permute(order, weights_);
  if (has_targets_) sorted.log.targets = Permute(order, targets_);
  for (RequestFeature& feature : features_) {
    sorted.log.request_features.push_back(SortFeature(order, feature));
  }
}

void EventLogBuilder::SortDislikes(SortedEvents& sorted) {
  const auto is_dropped = [&](const Dislike& dislike) {
    return sorted.new_users[dislike.user] == kDropped ||
           sorted.new_items[dislike.item] == kDropped;
  };
  const auto kept_end =
      std::remove_if(dislikes_.begin(), dislikes_.end(), is_dropped);
  sorted.dropped_dislikes = dislikes_.end() - kept_end;
  dislikes_.erase(kept_end, dislikes_.end());
  if (dislikes_.empty()) return;
  std::stable_sort(dislikes_.begin(), dislikes_.end(),
                   [](const Dislike& a, const Dislike& b) {
                     return a.user != b.user ? a.user < b.user
                                             : a.time < b.time;
                   });
  Dislikes& kept = sorted.log.dislikes;
  kept.user_begins.assign(sorted.log.users() + int64_t{1}, 0);
  for (const Dislike& dislike : dislikes_) {
    ++kept.user_begins[sorted.new_users[dislike.user] + 1];
    kept.items.push_back(sorted.new_items[dislike.item]);
    kept.times.push_back(dislike.time);
  }
  std::partial_sum(kept.user_begins.begin(), kept.user_begins.end(),
                   kept.user_begins.begin());
  dislikes_.clear();
}

SortedEvents EventLogBuilder::Finish(int32_t users, int32_t items,
                                     int64_t min_events) {
  SortedEvents sorted;
  DropUsers(users, min_events, sorted);
  if (size() <= std::numeric_limits<uint32_t>::max()) {
    SortInto<uint32_t>(sorted);
  } else {
    SortInto<uint64_t>(sorted);
  }
  sorted.new_items = CloseUpItems(items, sorted.log);
  sorted.duplicate_events = CountDuplicates(sorted.log);
  SortDislikes(sorted);
  return sorted;
}

}  // namespace segue
