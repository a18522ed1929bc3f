#include "trainer/evaluation/popularity.h"

#include <algorithm>
#include <numeric>

namespace segue {
namespace {

std::vector<int32_t> ByTrainingEvents(const EventLog& log, const Split& split,
                                      int32_t items) {
  std::vector<int64_t> events(items, 0);
  for (int32_t user = 0; user < log.users(); ++user) {
    for (int64_t e = log.user_begins[user]; e < split.train_ends[user]; ++e) {
      ++events[log.items[e]];
    }
  }
  std::vector<int32_t> order(items);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return events[a] > events[b]; });
  return order;
}

}  // namespace

RankedLists MostPopular(const EventLog& log, const Split& split, int32_t items,
                        const std::vector<EvaluationQuery>& queries,
                        bool filter_seen) {
  const std::vector<int32_t> order = ByTrainingEvents(log, split, items);
  const size_t depth = kReportDepths.back();
  RankedLists lists;
  lists.reserve(queries.size());
  for (const EvaluationQuery& query : queries) {
    const std::vector<int32_t> excluded =
        ExcludedItems(log, query, filter_seen);
    std::vector<int32_t>& list = lists.emplace_back();
    for (size_t i = 0; i < order.size() && list.size() < depth; ++i) {
      if (!std::binary_search(excluded.begin(), excluded.end(), order[i])) {
        list.push_back(order[i]);
      }
    }
  }
  return lists;
}

}  // namespace segue
