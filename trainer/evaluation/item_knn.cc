#include "trainer/evaluation/item_knn.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "trainer/evaluation/item_scores.h"
#include "trainer/evaluation/occurrences.h"
#include "trainer/evaluation/ranked_lists.h"

namespace segue {
namespace {

constexpr int64_t kWindow = 50;
constexpr double kShrinkage = 10;
constexpr double kRecencyExponent = -0.75;
constexpr size_t kNeighbors = 500;
constexpr int64_t kMostOccurrences = 2000;

// Similar items of each slot.
using Neighborhoods = std::vector<std::vector<Neighbor>>;

// The newest different items before the query's event, newest first.
std::vector<int32_t> NewestItems(const EventLog& log,
                                 const EvaluationQuery& query, size_t most) {
  std::vector<int32_t> items;
  for (int64_t e = query.target - 1;
       e >= log.user_begins[query.user] && items.size() < most; --e) {
    if (std::find(items.begin(), items.end(), log.items[e]) == items.end()) {
      items.push_back(log.items[e]);
    }
  }
  return items;
}

// What an event counts, by its distance.
std::array<float, kWindow + 1> DistanceWeights() {
  std::array<float, kWindow + 1> weights;
  weights[0] = 1;
  for (int64_t d = 1; d <= kWindow; ++d) {
    weights[d] = static_cast<float>(1 / std::sqrt(static_cast<double>(d)));
  }
  return weights;
}

// The most similar items of one slot's item.
std::vector<Neighbor> FindNeighbors(const EventLog& log, const Split& split,
                                    const ItemCounts& counts,
                                    const Occurrences& occurrences,
                                    int64_t slot, ItemScores& together) {
  static const std::array<float, kWindow + 1> kWeights = DistanceWeights();
  const absl::Span<const int64_t> events = occurrences.Of(slot);
  for (const int64_t event : events) {
    const int32_t user = log.UserOf(event);
    const int64_t begin = std::max(log.user_begins[user], event - kWindow);
    const int64_t end = std::min(split.train_ends[user], event + kWindow + 1);
    for (int64_t e = begin; e < end; ++e) {
      if (!log.IsTarget(e)) continue;
      together.Add(log.items[e], kWeights[std::abs(e - event)]);
    }
  }
  std::vector<Neighbor> neighbors = together.Take();
  if (neighbors.empty()) return neighbors;
  const double count = counts.events[occurrences.RowOf(slot)];
  const double scale = count / static_cast<double>(events.size());
  for (Neighbor& neighbor : neighbors) {
    neighbor.score = static_cast<float>(
        scale * neighbor.score /
        (std::sqrt(count * counts.targets[neighbor.row]) + kShrinkage));
  }
  KeepBest(kNeighbors, neighbors);
  return neighbors;
}

// Rows that answer a query with these newest items.
std::vector<int32_t> Rank(const std::vector<int32_t>& history,
                          const std::vector<int32_t>& excluded,
                          const Occurrences& occurrences,
                          const Neighborhoods& neighborhoods,
                          ItemScores& scores) {
  for (size_t place = 0; place < history.size(); ++place) {
    const auto weight = static_cast<float>(
        std::pow(static_cast<double>(place + 1), kRecencyExponent));
    for (const Neighbor& neighbor :
         neighborhoods[occurrences.SlotOf(history[place])]) {
      scores.Add(neighbor.row, weight * neighbor.score);
    }
  }
  std::vector<Neighbor> found = scores.Take();
  found.erase(std::remove_if(found.begin(), found.end(),
                             [&](const Neighbor& neighbor) {
                               return std::binary_search(excluded.begin(),
                                                         excluded.end(),
                                                         neighbor.row);
                             }),
              found.end());
  KeepBest(kReportDepths.back(), found);
  return RowsOf(found);
}

}  // namespace

RankedLists ItemKnn(const EventLog& log, const Split& split,
                    const ItemCounts& counts, const EvaluationSet& set,
                    int32_t history, int32_t threads) {
  RankedLists histories;
  std::vector<int32_t> wanted;
  for (const EvaluationQuery& query : set.queries) {
    histories.push_back(NewestItems(log, query, history));
    wanted.insert(wanted.end(), histories.back().begin(),
                  histories.back().end());
  }
  const Occurrences occurrences(log, split, counts.events, wanted,
                                kMostOccurrences);
  Neighborhoods neighborhoods(occurrences.slots());
  RankedLists lists(set.size());
#pragma omp parallel num_threads(threads)
  {
    ItemScores scores(static_cast<int64_t>(counts.events.size()));
#pragma omp for schedule(dynamic, 16)
    for (int64_t slot = 0; slot < occurrences.slots(); ++slot) {
      neighborhoods[slot] =
          FindNeighbors(log, split, counts, occurrences, slot, scores);
    }
#pragma omp for schedule(dynamic, 16)
    for (size_t q = 0; q < set.size(); ++q) {
      lists[q] = Rank(histories[q], set.excluded[q], occurrences, neighborhoods,
                      scores);
    }
  }
  return lists;
}

}  // namespace segue
