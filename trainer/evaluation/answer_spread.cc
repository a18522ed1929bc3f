#include "trainer/evaluation/answer_spread.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trainer/evaluation/popularity.h"

namespace segue {

std::vector<int32_t> MorePopular(absl::Span<const double> counts) {
  const std::vector<int32_t> order = ByCount(counts);
  std::vector<int32_t> more_popular(counts.size());
  size_t more = 0;  // items with a greater count than those at hand
  for (size_t i = 0; i < order.size(); ++i) {
    if (i > 0 && counts[order[i]] < counts[order[i - 1]]) more = i;
    more_popular[order[i]] = static_cast<int32_t>(more);
  }
  return more_popular;
}

AnswerSpread::AnswerSpread(absl::Span<const int32_t> more_popular,
                           std::vector<int32_t> ks)
    : more_popular_(more_popular),
      ks_(std::move(ks)),
      first_depth_(more_popular.size(), static_cast<uint8_t>(ks_.size())),
      places_(ks_.size(), 0),
      more_(ks_.size(), 0) {}

void AnswerSpread::Add(const RankedLists& lists) {
  for (const std::vector<int32_t>& list : lists) {
    size_t place = 0;
    for (size_t d = 0; d < ks_.size(); ++d) {
      const size_t end = std::min<size_t>(ks_[d], list.size());
      for (; place < end; ++place) {
        const int32_t row = list[place];
        first_depth_[row] =
            std::min(first_depth_[row], static_cast<uint8_t>(d));
        more_[d] += more_popular_[row];
        ++places_[d];
      }
    }
  }
}

void AnswerSpread::Fill(v1::RankingReport& report) const {
  std::vector<int64_t> reached(ks_.size() + 1, 0);
  for (const uint8_t depth : first_depth_) ++reached[depth];
  const auto items =
      static_cast<double>(std::max<size_t>(first_depth_.size(), 1));
  int64_t different = 0, places = 0, more = 0;
  for (size_t d = 0; d < ks_.size(); ++d) {
    different += reached[d];
    places += places_[d];
    more += more_[d];
    const std::string key = absl::StrCat(ks_[d]);
    (*report.mutable_coverage())[key] = static_cast<double>(different) / items;
    (*report.mutable_popularity_rank())[key] =
        static_cast<double>(more) /
        (static_cast<double>(std::max<int64_t>(places, 1)) * items);
  }
}

}  // namespace segue
