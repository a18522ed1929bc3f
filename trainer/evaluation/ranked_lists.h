// What a set of queries asks, and how good ranked answers to it are.
#ifndef SEGUE_TRAINER_EVALUATION_RANKED_LISTS_H_
#define SEGUE_TRAINER_EVALUATION_RANKED_LISTS_H_

#include <cstdint>
#include <vector>

#include "core/metrics/ranking_metrics.h"
#include "segue/v1/report.pb.h"
#include "trainer/data/dataset.h"
#include "trainer/data/split.h"

namespace segue {

// The depths that reports give.
inline const std::vector<int32_t> kReportDepths = {5,   10,  30,  50,
                                                   100, 300, 500, 1000};

// Item rows, best first, one list a query.
using RankedLists = std::vector<std::vector<int32_t>>;

// The items that must not answer a query: those of its whole history, ascending
// and each once, where `filter_seen`; none otherwise. A target that was in the
// history then counts as not found.
std::vector<int32_t> ExcludedItems(const EventLog& log,
                                   const EvaluationQuery& query,
                                   bool filter_seen);

// Ranks of each query's target in its list, by user.
RankingMetrics Measure(const EventLog& log,
                       const std::vector<EvaluationQuery>& queries,
                       const RankedLists& lists);

// Recall and NDCG with their intervals, as the report has them.
v1::RankingReport ToReport(const RankingMetrics& metrics, int32_t resamples,
                           uint64_t seed);

}  // namespace segue

#endif  // SEGUE_TRAINER_EVALUATION_RANKED_LISTS_H_
