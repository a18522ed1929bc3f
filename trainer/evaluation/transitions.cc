#include "trainer/evaluation/transitions.h"

#include <algorithm>
#include <vector>

#include "trainer/evaluation/item_scores.h"
#include "trainer/evaluation/occurrences.h"
#include "trainer/evaluation/ranked_lists.h"

namespace segue {
namespace {

constexpr int64_t kMostOccurrences = 100000;

// What follows on the slot's item, by falling count.
std::vector<int32_t> Successors(const EventLog& log, const Split& split,
                                absl::Span<const int64_t> events,
                                ItemScores& counts) {
  for (const int64_t event : events) {
    const auto user = std::upper_bound(log.user_begins.begin(),
                                       log.user_begins.end(), event) -
                      log.user_begins.begin() - 1;
    if (event + 1 < split.train_ends[user]) counts.Add(log.items[event + 1], 1);
  }
  std::vector<Neighbor> found = counts.Take();
  KeepBest(found.size(), found);
  std::vector<int32_t> rows;
  rows.reserve(found.size());
  for (const Neighbor& item : found) rows.push_back(item.row);
  return rows;
}

}  // namespace

RankedLists Transitions(const EventLog& log, const Split& split,
                        absl::Span<const double> counts,
                        const EvaluationSet& set, int32_t threads) {
  std::vector<int32_t> newest;  // of each query; -1: no history
  std::vector<int32_t> wanted;
  for (const EvaluationQuery& query : set.queries) {
    const bool has_history = query.target > log.user_begins[query.user];
    newest.push_back(has_history ? log.items[query.target - 1] : -1);
    if (has_history) wanted.push_back(newest.back());
  }
  const Occurrences occurrences(log, split, counts, wanted, kMostOccurrences);
  RankedLists successors(occurrences.slots());
#pragma omp parallel num_threads(threads)
  {
    ItemScores scores(static_cast<int64_t>(counts.size()));
#pragma omp for schedule(dynamic, 16)
    for (int64_t slot = 0; slot < occurrences.slots(); ++slot) {
      successors[slot] = Successors(log, split, occurrences.Of(slot), scores);
    }
  }
  RankedLists lists(set.size());
  const size_t depth = kReportDepths.back();
  for (size_t q = 0; q < set.size(); ++q) {
    if (newest[q] < 0) continue;
    const std::vector<int32_t>& excluded = set.excluded[q];
    for (const int32_t row : successors[occurrences.SlotOf(newest[q])]) {
      if (lists[q].size() == depth) break;
      if (!std::binary_search(excluded.begin(), excluded.end(), row)) {
        lists[q].push_back(row);
      }
    }
  }
  return lists;
}

}  // namespace segue
