// A baseline: what came next after the newest item of the history.
#ifndef SEGUE_TRAINER_EVALUATION_TRANSITIONS_H_
#define SEGUE_TRAINER_EVALUATION_TRANSITIONS_H_

#include <cstdint>

#include "absl/types/span.h"
#include "trainer/data/dataset.h"
#include "trainer/data/split.h"
#include "trainer/evaluation/evaluation_set.h"

namespace segue {

// A first-order Markov chain: items by the number of training events that
// follow at once on one of the newest item of the query's history, with the
// same user; the lower row first among equals. None of the excluded ones, and
// only items that do follow; as deep as reports go. Counts are over at most
// 100,000 of an item's events, spread evenly; 8 bytes each.
RankedLists Transitions(const EventLog& log, const Split& split,
                        absl::Span<const double> counts,
                        const EvaluationSet& set, int32_t threads);

}  // namespace segue

#endif  // SEGUE_TRAINER_EVALUATION_TRANSITIONS_H_
