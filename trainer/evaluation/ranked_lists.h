// How good ranked answers to a set of queries are.
#ifndef SEGUE_TRAINER_EVALUATION_RANKED_LISTS_H_
#define SEGUE_TRAINER_EVALUATION_RANKED_LISTS_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "core/metrics/ranking_metrics.h"
#include "segue/v1/report.pb.h"
#include "trainer/evaluation/evaluation_set.h"

namespace segue {

// The depths that reports give.
inline const std::vector<int32_t> kReportDepths = {5,   10,  30,  50,
                                                   100, 300, 500, 1000};

// Places (0 is the best) at which `list` has one of `targets`. REQUIRES:
// `targets` ascend; rows are distinct within `list`, but for -1, which is none.
std::vector<int64_t> RanksOf(absl::Span<const int32_t> list,
                             absl::Span<const int32_t> targets);

// Adds to `metrics` the ranks of each query's targets in its list, best first,
// by user.
void AddLists(const EvaluationSet& set, const RankedLists& lists,
              RankingMetrics& metrics);

// The figures with their intervals, as the report has them.
v1::RankingReport ToReport(const RankingMetrics& metrics, int32_t resamples,
                           uint64_t seed);

}  // namespace segue

#endif  // SEGUE_TRAINER_EVALUATION_RANKED_LISTS_H_
