// How much of the catalogue answers reach, and how popular it is.
#ifndef SEGUE_TRAINER_EVALUATION_ANSWER_SPREAD_H_
#define SEGUE_TRAINER_EVALUATION_ANSWER_SPREAD_H_

#include <vector>

#include "absl/types/span.h"
#include "segue/v1/report.pb.h"
#include "trainer/evaluation/evaluation_set.h"

namespace segue {

// [items] the share of the catalogue that has more training events than the
// item, in [0, 1).
std::vector<double> PopularityRanks(absl::Span<const double> counts);

// Coverage and popularity rank of `lists` at every report depth. Rows are those
// of the catalogue that `ranks` ([items]) is of.
void FillSpread(const RankedLists& lists, absl::Span<const double> ranks,
                v1::RankingReport& report);

}  // namespace segue

#endif  // SEGUE_TRAINER_EVALUATION_ANSWER_SPREAD_H_
