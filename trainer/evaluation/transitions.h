// A baseline: what came next after the newest item of the history.
#ifndef SEGUE_TRAINER_EVALUATION_TRANSITIONS_H_
#define SEGUE_TRAINER_EVALUATION_TRANSITIONS_H_

#include <cstdint>

#include "trainer/data/dataset.h"
#include "trainer/data/split.h"
#include "trainer/evaluation/evaluation_set.h"
#include "trainer/evaluation/popularity.h"

namespace segue {

// A first-order Markov chain: items by the number of training events that can
// be targets and follow at once on one of the newest item of the query's
// history, be that one a target or not, with the same user; the lower row first
// among equals. None of the excluded ones, and only items that do follow; as
// deep as reports go.
//
// Counts are over at most 100,000 of an item's events, spread evenly; 8 bytes
// each for the newest items of these queries. Reads the whole log once: ask
// some thousand queries together. Threads do not change the answers.
RankedLists Transitions(const EventLog& log, const Split& split,
                        const ItemCounts& counts, const EvaluationSet& set,
                        int32_t threads);

}  // namespace segue

#endif  // SEGUE_TRAINER_EVALUATION_TRANSITIONS_H_
