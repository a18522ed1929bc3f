#include "trainer/evaluation/popularity.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "trainer/evaluation/ranked_lists.h"

namespace segue {
namespace {

constexpr double kSecondsPerDay = 86400;

// [items] sums of weight(event) over the training events of each.
template <typename Weight>
std::vector<double> SumTraining(const EventLog& log, const Split& split,
                                int32_t items, const Weight& weight) {
  std::vector<double> sums(items, 0.0);
  for (int32_t user = 0; user < log.users(); ++user) {
    for (int64_t e = log.user_begins[user]; e < split.train_ends[user]; ++e) {
      sums[log.items[e]] += weight(e);
    }
  }
  return sums;
}

}  // namespace

ItemCounts CountTraining(const EventLog& log, const Split& split,
                         int32_t items) {
  return {.events = SumTraining(log, split, items, [](int64_t) { return 1.0; }),
          .targets = SumTraining(log, split, items, [&](int64_t e) {
            return log.IsTarget(e) ? 1.0 : 0.0;
          })};
}

std::vector<double> RecentTargetCounts(const EventLog& log, const Split& split,
                                       int32_t items, double half_life_days) {
  const double half_life = half_life_days * kSecondsPerDay;
  return SumTraining(log, split, items, [&](int64_t e) {
    const double age =
        static_cast<double>(split.latest_training_time) - log.times[e];
    return log.IsTarget(e) ? std::exp2(-age / half_life) : 0;
  });
}

std::vector<int32_t> ByCount(absl::Span<const double> counts) {
  std::vector<int32_t> order(counts.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return counts[a] > counts[b]; });
  return order;
}

void FillUp(absl::Span<const int32_t> order, const EvaluationSet& set,
            RankedLists& lists) {
  const size_t depth = kReportDepths.back();
  for (size_t q = 0; q < set.size(); ++q) {
    std::vector<int32_t>& list = lists[q];
    const std::vector<int32_t>& excluded = set.excluded[q];
    std::vector<int32_t> there = list;
    std::sort(there.begin(), there.end());
    for (size_t i = 0; i < order.size() && list.size() < depth; ++i) {
      if (!std::binary_search(excluded.begin(), excluded.end(), order[i]) &&
          !std::binary_search(there.begin(), there.end(), order[i])) {
        list.push_back(order[i]);
      }
    }
  }
}

}  // namespace segue
