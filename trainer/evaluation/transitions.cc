#include "trainer/evaluation/transitions.h"

#include <algorithm>
#include <vector>

#include "trainer/evaluation/item_scores.h"
#include "trainer/evaluation/occurrences.h"
#include "trainer/evaluation/ranked_lists.h"

namespace segue {
namespace {

constexpr int64_t kMostOccurrences = 100000;

// What follows on these events, by falling count.
std::vector<Neighbor> Successors(const EventLog& log, const Split& split,
                                 absl::Span<const int64_t> events,
                                 ItemScores& counts) {
  for (const int64_t event : events) {
    const int64_t next = event + 1;
    if (next < split.train_ends[log.UserOf(event)] && log.IsTarget(next)) {
      counts.Add(log.items[next], 1);
    }
  }
  std::vector<Neighbor> found = counts.Take();
  KeepBest(found.size(), found);
  return found;
}

// The first of `found` that are not among `excluded`.
std::vector<int32_t> Allowed(const std::vector<Neighbor>& found,
                             const std::vector<int32_t>& excluded) {
  std::vector<int32_t> rows;
  const size_t depth = kReportDepths.back();
  for (size_t i = 0; i < found.size() && rows.size() < depth; ++i) {
    const int32_t row = found[i].row;
    if (!std::binary_search(excluded.begin(), excluded.end(), row)) {
      rows.push_back(row);
    }
  }
  return rows;
}

}  // namespace

RankedLists Transitions(const EventLog& log, const Split& split,
                        const ItemCounts& counts, const EvaluationSet& set,
                        int32_t threads) {
  std::vector<int32_t> newest;  // of each query; -1: no history
  std::vector<int32_t> wanted;
  for (const EvaluationQuery& query : set.queries) {
    const bool has_history = query.target > log.user_begins[query.user];
    newest.push_back(has_history ? log.items[query.target - 1] : -1);
    if (has_history) wanted.push_back(newest.back());
  }
  const Occurrences occurrences(log, split, counts.events, wanted,
                                kMostOccurrences);
  std::vector<std::vector<size_t>> queries_of(occurrences.slots());
  for (size_t q = 0; q < set.size(); ++q) {
    if (newest[q] >= 0) queries_of[occurrences.SlotOf(newest[q])].push_back(q);
  }
  RankedLists lists(set.size());
#pragma omp parallel num_threads(threads)
  {
    ItemScores scores(static_cast<int64_t>(counts.events.size()));
#pragma omp for schedule(dynamic, 16)
    for (int64_t slot = 0; slot < occurrences.slots(); ++slot) {
      const std::vector<Neighbor> found =
          Successors(log, split, occurrences.Of(slot), scores);
      for (const size_t q : queries_of[slot]) {
        lists[q] = Allowed(found, set.excluded[q]);
      }
    }
  }
  return lists;
}

}  // namespace segue
