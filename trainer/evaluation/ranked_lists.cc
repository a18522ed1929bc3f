#include "trainer/evaluation/ranked_lists.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"

namespace segue {
namespace {

v1::Interval IntervalOf(const Estimate& estimate) {
  v1::Interval interval;
  interval.set_low(estimate.low);
  interval.set_high(estimate.high);
  return interval;
}

}  // namespace

std::vector<int64_t> RanksOf(absl::Span<const int32_t> list,
                             absl::Span<const int32_t> targets) {
  std::vector<int64_t> ranks;
  for (size_t rank = 0; rank < list.size(); ++rank) {
    if (std::binary_search(targets.begin(), targets.end(), list[rank])) {
      ranks.push_back(static_cast<int64_t>(rank));
    }
  }
  return ranks;
}

void AddLists(const EvaluationSet& set, const RankedLists& lists,
              RankingMetrics& metrics) {
  for (size_t q = 0; q < set.size(); ++q) {
    metrics.Add(set.queries[q].user, RanksOf(lists[q], set.targets[q]),
                static_cast<int64_t>(set.targets[q].size()));
  }
}

v1::RankingReport ToReport(const RankingMetrics& metrics, int32_t resamples,
                           uint64_t seed) {
  const RankingReport summary = metrics.Summarize(resamples, seed);
  v1::RankingReport report;
  for (int32_t k : metrics.ks()) {
    const std::string key = absl::StrCat(k);
    (*report.mutable_recall())[key] = summary.recall.at(k).mean;
    (*report.mutable_recall_interval())[key] = IntervalOf(summary.recall.at(k));
    (*report.mutable_ndcg())[key] = summary.ndcg.at(k).mean;
    (*report.mutable_ndcg_interval())[key] = IntervalOf(summary.ndcg.at(k));
    (*report.mutable_hit_rate())[key] = summary.hit_rate.at(k).mean;
  }
  report.set_mrr(summary.reciprocal_rank.mean);
  *report.mutable_mrr_interval() = IntervalOf(summary.reciprocal_rank);
  return report;
}

}  // namespace segue
