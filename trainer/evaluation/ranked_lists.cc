#include "trainer/evaluation/ranked_lists.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"

namespace segue {

std::vector<int32_t> ExcludedItems(const EventLog& log,
                                   const EvaluationQuery& query,
                                   bool filter_seen) {
  std::vector<int32_t> items;
  if (!filter_seen) return items;
  items.assign(log.items.begin() + log.user_begins[query.user],
               log.items.begin() + query.target);
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
  return items;
}

RankingMetrics Measure(const EventLog& log,
                       const std::vector<EvaluationQuery>& queries,
                       const RankedLists& lists) {
  RankingMetrics metrics(kReportDepths);
  for (size_t q = 0; q < queries.size(); ++q) {
    metrics.Add(queries[q].user,
                RankOf(lists[q], log.items[queries[q].target]));
  }
  return metrics;
}

v1::RankingReport ToReport(const RankingMetrics& metrics, int32_t resamples,
                           uint64_t seed) {
  const RankingReport summary = metrics.Summarize(resamples, seed);
  v1::RankingReport report;
  const auto add = [](const Estimate& estimate, double& mean,
                      v1::Interval& interval) {
    mean = estimate.mean;
    interval.set_low(estimate.low);
    interval.set_high(estimate.high);
  };
  for (int32_t k : metrics.ks()) {
    const std::string key = absl::StrCat(k);
    add(summary.recall.at(k), (*report.mutable_recall())[key],
        (*report.mutable_recall_interval())[key]);
    add(summary.ndcg.at(k), (*report.mutable_ndcg())[key],
        (*report.mutable_ndcg_interval())[key]);
  }
  return report;
}

}  // namespace segue
