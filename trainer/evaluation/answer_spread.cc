#include "trainer/evaluation/answer_spread.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "trainer/evaluation/popularity.h"
#include "trainer/evaluation/ranked_lists.h"

namespace segue {

std::vector<double> PopularityRanks(absl::Span<const double> counts) {
  const std::vector<int32_t> order = ByCount(counts);
  std::vector<double> ranks(counts.size());
  size_t more = 0;  // items with more events than those at hand
  for (size_t i = 0; i < order.size(); ++i) {
    if (i > 0 && counts[order[i]] < counts[order[i - 1]]) more = i;
    ranks[order[i]] =
        static_cast<double>(more) / static_cast<double>(order.size());
  }
  return ranks;
}

void FillSpread(const RankedLists& lists, absl::Span<const double> ranks,
                v1::RankingReport& report) {
  std::vector<bool> reached(ranks.size(), false);
  int64_t different = 0, answers = 0;
  double rank_sum = 0;
  size_t from = 0;  // places before it are counted
  for (const int32_t k : kReportDepths) {
    for (const std::vector<int32_t>& list : lists) {
      for (size_t i = from; i < std::min<size_t>(k, list.size()); ++i) {
        if (!reached[list[i]]) ++different;
        reached[list[i]] = true;
        rank_sum += ranks[list[i]];
        ++answers;
      }
    }
    from = k;
    const std::string key = absl::StrCat(k);
    (*report.mutable_coverage())[key] =
        static_cast<double>(different) /
        static_cast<double>(std::max<size_t>(ranks.size(), 1));
    (*report.mutable_popularity_rank())[key] =
        rank_sum / static_cast<double>(std::max<int64_t>(answers, 1));
  }
}

}  // namespace segue
