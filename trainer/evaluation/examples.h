// Queries and answers that people can look at.
#ifndef SEGUE_TRAINER_EVALUATION_EXAMPLES_H_
#define SEGUE_TRAINER_EVALUATION_EXAMPLES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/retrieval/serving_snapshot.h"
#include "segue/v1/report.pb.h"
#include "trainer/data/dataset.h"
#include "trainer/evaluation/evaluation_set.h"
#include "trainer/evaluation/row_map.h"

namespace segue {

// Of the test's `all` queries six are shown, drawn with `seed`: adds those that
// are in the set, whose first query is number `first` of all, with the newest
// ten items of their histories and the ten first of their answers. Of several
// targets it shows the one that came first. `answers` are rows of the snapshot,
// a list a query of the set.
void AddExamples(const ServingSnapshot& snapshot, const Dataset& data,
                 const EvaluationSet& set, size_t first, size_t all,
                 const RowMap& map,
                 const std::vector<std::vector<Neighbor>>& answers,
                 uint64_t seed, v1::EvaluationReport& report);

}  // namespace segue

#endif  // SEGUE_TRAINER_EVALUATION_EXAMPLES_H_
