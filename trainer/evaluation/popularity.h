// The baseline that a model has to beat: the same most popular items for all.
#ifndef SEGUE_TRAINER_EVALUATION_POPULARITY_H_
#define SEGUE_TRAINER_EVALUATION_POPULARITY_H_

#include <vector>

#include "trainer/data/dataset.h"
#include "trainer/data/split.h"
#include "trainer/evaluation/ranked_lists.h"

namespace segue {

// Items by falling number of training events, the lower row first among equals;
// of each query's excluded items none. Lists are as deep as reports go.
RankedLists MostPopular(const EventLog& log, const Split& split, int32_t items,
                        const std::vector<EvaluationQuery>& queries,
                        bool filter_seen);

}  // namespace segue

#endif  // SEGUE_TRAINER_EVALUATION_POPULARITY_H_
