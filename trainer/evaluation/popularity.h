// How often items occur in training, and what answers by that alone.
#ifndef SEGUE_TRAINER_EVALUATION_POPULARITY_H_
#define SEGUE_TRAINER_EVALUATION_POPULARITY_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "trainer/data/dataset.h"
#include "trainer/data/split.h"
#include "trainer/evaluation/evaluation_set.h"

namespace segue {

// Training events of each item; [items].
struct ItemCounts {
  // All: what histories are made of.
  std::vector<double> events;
  // Those that can be targets (EventLog::IsTarget): what there is to predict.
  // Popularity is this: an item that people meet often and never choose is no
  // answer.
  std::vector<double> targets;
};

ItemCounts CountTraining(const EventLog& log, const Split& split,
                         int32_t items);

// [items] as ItemCounts::targets, but an event counts 2^(-age /
// half_life_days), its age as of the latest training event. REQUIRES: times are
// seconds, half_life_days > 0.
std::vector<double> RecentTargetCounts(const EventLog& log, const Split& split,
                                       int32_t items, double half_life_days);

// Item rows by falling count, the lower row first among equals.
std::vector<int32_t> ByCount(absl::Span<const double> counts);

// Lengthens each list to the greatest of kReportDepths with the first rows of
// `order` that neither it nor the query's excluded ones have. REQUIRES: a list
// a query, none longer than that.
void FillUp(absl::Span<const int32_t> order, const EvaluationSet& set,
            RankedLists& lists);

}  // namespace segue

#endif  // SEGUE_TRAINER_EVALUATION_POPULARITY_H_
