// A report with every field that a page shows.
#ifndef SEGUE_TESTS_TRAINER_REPORT_FULL_REPORT_H_
#define SEGUE_TESTS_TRAINER_REPORT_FULL_REPORT_H_

#include "segue/v1/report.pb.h"

namespace segue::testing {

// Figures at k = 5 to 1000 that grow with k up to `recall` at 1000: 0.4 of it
// at 10, 0.7 at 100. NDCG is half of recall; the intervals are 0.01 to each
// side.
v1::RankingReport Ranking(double recall);

// Three epochs, four baselines below the model, two slices in each of four
// dimensions, two examples, four trials.
v1::Report FullReport();

}  // namespace segue::testing

#endif  // SEGUE_TESTS_TRAINER_REPORT_FULL_REPORT_H_
