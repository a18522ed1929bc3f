// Questions with known answers, as evaluation asks them.
#ifndef SEGUE_TRAINER_EVALUATION_EVALUATION_SET_H_
#define SEGUE_TRAINER_EVALUATION_EVALUATION_SET_H_

#include <cstdint>
#include <vector>

#include "trainer/data/dataset.h"
#include "trainer/data/split.h"

namespace segue {

// Item rows, one list a query.
using RankedLists = std::vector<std::vector<int32_t>>;

// Parallel lists; rows are the data's, ascending and each once.
struct EvaluationSet {
  std::vector<EvaluationQuery> queries;
  RankedLists targets;
  // What must not answer. A target among it counts as not found.
  RankedLists excluded;

  size_t size() const { return queries.size(); }
};

// Excluded are the items of the whole history where `filter_seen`; none
// otherwise.
EvaluationSet MakeEvaluationSet(const EventLog& log,
                                std::vector<EvaluationQuery> queries,
                                bool filter_seen);

// Evaluation works through that many queries at a time: enough to share a look
// at the log or at all vectors, few enough for deep lists of each.
inline constexpr size_t kQueriesAtOnce = 4096;

}  // namespace segue

#endif  // SEGUE_TRAINER_EVALUATION_EVALUATION_SET_H_
