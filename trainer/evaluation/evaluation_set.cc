#include "trainer/evaluation/evaluation_set.h"

#include <algorithm>
#include <utility>

namespace segue {
namespace {

std::vector<int32_t> HistoryItems(const EventLog& log,
                                  const EvaluationQuery& query) {
  std::vector<int32_t> items(log.items.begin() + log.user_begins[query.user],
                             log.items.begin() + query.target);
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
  return items;
}

}  // namespace

EvaluationSet MakeEvaluationSet(const EventLog& log,
                                std::vector<EvaluationQuery> queries,
                                bool filter_seen) {
  EvaluationSet set;
  set.queries = std::move(queries);
  set.excluded.resize(set.size());
  for (size_t q = 0; q < set.size(); ++q) {
    set.targets.push_back(TargetItems(log, set.queries[q]));
    if (filter_seen) set.excluded[q] = HistoryItems(log, set.queries[q]);
  }
  return set;
}

}  // namespace segue
