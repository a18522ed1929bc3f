// A baseline: items that stand near those of the history in other histories.
#ifndef SEGUE_TRAINER_EVALUATION_ITEM_KNN_H_
#define SEGUE_TRAINER_EVALUATION_ITEM_KNN_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "trainer/data/dataset.h"
#include "trainer/data/split.h"
#include "trainer/evaluation/evaluation_set.h"

namespace segue {

// Item-based collaborative filtering (Sarwar et al. 2001) over sequences.
//
// Two items occur together where one user's training events have them at most
// 50 places apart; d places apart counts 1 / sqrt(d), an event with itself 1.
// Their similarity is the cosine with shrinkage, together(i, j) /
// (sqrt(count(i) count(j)) + 10), kept for the 500 most similar to i. An item
// scores the sum of its similarities to the newest `history` different items of
// a query, the p-th newest weighted by p^(-3/4). The constants were chosen by
// recall on the validation queries of a set of playlists, Amazon Beauty and
// MovieLens-1M together (leave-one-out): recall@10 of .176, .095 and .240
// there, where the plain cosine to the same 20 items has .116, .069 and .110.
//
// Answers to each query, best first, the lower row first among equals, none of
// its excluded ones; as deep as reports go where that many items have a score.
//
// Bounded for any log: similarities are computed for items of histories only,
// for 4,096 queries at a time, and from at most 2,000 of an item's events,
// spread evenly. Memory: some 20 KB an item of those histories, and 8 bytes
// an item of the catalogue and thread. Threads do not change the answers.
RankedLists ItemKnn(const EventLog& log, const Split& split,
                    absl::Span<const double> counts, const EvaluationSet& set,
                    int32_t history, int32_t threads);

}  // namespace segue

#endif  // SEGUE_TRAINER_EVALUATION_ITEM_KNN_H_
