// The figures of parts of the queries: where is a model good, and where not?
#ifndef SEGUE_TRAINER_EVALUATION_SLICES_H_
#define SEGUE_TRAINER_EVALUATION_SLICES_H_

#include <cstdint>

#include "absl/types/span.h"
#include "segue/v1/report.pb.h"
#include "trainer/data/dataset.h"
#include "trainer/data/split.h"
#include "trainer/evaluation/evaluation_set.h"

namespace segue {

// Adds slices of the queries by
// - history length: events before the query;
// - item popularity: of the items with training events, the 1 % with the most,
//   the next 9 % and 40 %, and the rest; the lower row first among equals;
// - new user, new item: those without training events.
// Where a query has several targets, a slice by item asks for those of its
// targets that belong to it. Slices without queries are left out.
//
// `lists` are rows of the data; `counts` are TrainingCounts().
void AddSlices(const EventLog& log, const Split& split,
               absl::Span<const double> counts, const EvaluationSet& set,
               const RankedLists& lists, int32_t resamples, uint64_t seed,
               v1::SplitReport& report);

}  // namespace segue

#endif  // SEGUE_TRAINER_EVALUATION_SLICES_H_
