// A baseline: items that stand near those of the history in other histories.
#ifndef SEGUE_TRAINER_EVALUATION_ITEM_KNN_H_
#define SEGUE_TRAINER_EVALUATION_ITEM_KNN_H_

#include <cstdint>
#include <vector>

#include "trainer/data/dataset.h"
#include "trainer/data/split.h"
#include "trainer/evaluation/evaluation_set.h"
#include "trainer/evaluation/popularity.h"

namespace segue {

// Item-based collaborative filtering (Sarwar et al. 2001) over sequences.
//
// Items i of a history speak for candidates j. The two occur together where one
// user's training events have i, be that a target or not, and at most 50 places
// away j as an event that can be a target: where an event is history only, its
// item is nothing that is chosen. d places apart counts 1 / sqrt(d), an event
// with itself 1. Their similarity is the cosine with shrinkage,
// together(i, j) / (sqrt(events(i) targets(j)) + 10), kept for the 500 most
// similar to i. An item scores the sum of its similarities to the newest
// `history` different items of a query, the p-th newest weighted by p^(-3/4).
// The constants were chosen by recall on the validation queries of a set of
// playlists, Amazon Beauty and MovieLens-1M together (leave-one-out, every
// event a target): recall@10 of .176, .095 and .240 there, where the plain
// cosine to the same 20 items has .116, .069 and .110.
//
// Answers to each query, best first, the lower row first among equals, none of
// its excluded ones; as deep as reports go where that many items have a score.
//
// Bounded for any log: similarities are computed for items of these histories
// only, and from at most 2,000 of an item's events, spread evenly. Memory: an
// item of the histories has up to 2,000 events, 16 KB, and 500 neighbours, 4
// KB; a thread has 4 bytes an item of the catalogue, and 12 for each that
// occurs together with the one at hand. Reads the whole log once: ask some
// thousand queries together. Threads do not change the answers.
RankedLists ItemKnn(const EventLog& log, const Split& split,
                    const ItemCounts& counts, const EvaluationSet& set,
                    int32_t history, int32_t threads);

}  // namespace segue

#endif  // SEGUE_TRAINER_EVALUATION_ITEM_KNN_H_
