// Ranking metrics with intervals: the one definition for evaluation, tuner and
// live figures.
#ifndef SEGUE_CORE_METRICS_RANKING_METRICS_H_
#define SEGUE_CORE_METRICS_RANKING_METRICS_H_

#include <cstdint>
#include <map>
#include <vector>

#include "absl/types/span.h"

namespace segue {

// A mean over queries and its 95 % interval: the 2.5th and 97.5th percentile of
// the mean when users (with all their queries) are drawn with replacement,
// Efron's percentile bootstrap.
struct Estimate {
  double mean = 0;
  double low = 0;
  double high = 0;
};

// By k.
struct RankingReport {
  int64_t queries = 0;
  int64_t users = 0;
  // Relevant items among the first k / relevant items, be they more than k.
  // With one target a query it is the hit rate.
  std::map<int32_t, Estimate> recall;
  // Binary relevance, discount 1 / log2(rank + 2), over the best that is
  // possible within k (Järvelin and Kekäläinen 2002).
  std::map<int32_t, Estimate> ndcg;
  // Share of queries with a relevant item among the first k.
  std::map<int32_t, Estimate> hit_rate;
  // 1 / (rank + 1) of the first relevant item, 0 if it is beyond the largest k.
  Estimate reciprocal_rank;
};

// Gathers queries one by one. One thread. Memory is a few doubles a user.
class RankingMetrics {
 public:
  // `ks`: positive; duplicates and order do not matter. REQUIRES: not empty.
  explicit RankingMetrics(std::vector<int32_t> ks);

  // A query with one target, at `rank` (0 is the best) of the answer, or -1 if
  // the answer lacks it.
  void Add(int32_t user, int64_t rank);
  // A query with `relevant` >= 1 targets, of which those that were found stand
  // at `ranks` (any order, distinct; -1 is skipped).
  void Add(int32_t user, absl::Span<const int64_t> ranks, int64_t relevant);

  // Zeros if nothing was added. With resamples < 1, low and high are the mean.
  // The same calls and seed give the same report.
  RankingReport Summarize(int32_t resamples, uint64_t seed) const;

  const std::vector<int32_t>& ks() const { return ks_; }

 private:
  friend Estimate RecallRatio(const RankingMetrics&, const RankingMetrics&,
                              int32_t, int32_t, uint64_t);
  size_t Width() const { return 3 * ks_.size() + 2; }
  double* SumsOf(int32_t user);

  std::vector<int32_t> ks_;           // ascending
  std::map<int32_t, int64_t> users_;  // user -> place in sums_, by Width()
  // A user's: recall a k, NDCG a k, hits a k, reciprocal rank, queries.
  std::vector<double> sums_;
};

// Recall@k of `found` over that of `exact`, both over the same queries, with an
// interval that draws the same users for both. The ratio is 1 where exact
// recall is 0. REQUIRES: k is among both ks, and the same users were added.
Estimate RecallRatio(const RankingMetrics& found, const RankingMetrics& exact,
                     int32_t k, int32_t resamples, uint64_t seed);

// Place of `target` in `rows`, -1 if it is not there.
int64_t RankOf(absl::Span<const int32_t> rows, int32_t target);

}  // namespace segue

#endif  // SEGUE_CORE_METRICS_RANKING_METRICS_H_
