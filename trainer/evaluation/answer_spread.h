// How much of the catalogue answers reach, and how popular it is.
#ifndef SEGUE_TRAINER_EVALUATION_ANSWER_SPREAD_H_
#define SEGUE_TRAINER_EVALUATION_ANSWER_SPREAD_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "segue/v1/report.pb.h"
#include "trainer/evaluation/evaluation_set.h"

namespace segue {

// [items] how many items have a greater count than the item.
std::vector<int32_t> MorePopular(absl::Span<const double> counts);

// Coverage and popularity rank at some depths, gathered from answers a block of
// queries at a time. Sums are of integers: neither the order of the queries nor
// their division into blocks changes a figure. Borrows `more_popular`,
// MorePopular() of the catalogue; a byte an item besides. One thread.
class AnswerSpread {
 public:
  // `ks` ascend.
  AnswerSpread(absl::Span<const int32_t> more_popular, std::vector<int32_t> ks);

  // Best first; rows are those of the catalogue.
  void Add(const RankedLists& lists);
  // Sets coverage and popularity_rank at these depths: 0 without answers.
  void Fill(v1::RankingReport& report) const;

 private:
  absl::Span<const int32_t> more_popular_;
  std::vector<int32_t> ks_;
  // [items] the number, among the depths, of the first that reaches it in some
  // answer; that of all depths: none does.
  std::vector<uint8_t> first_depth_;
  // [depths] of the places that a depth has and the one before it has not:
  // their number, and the sum of their items' more_popular.
  std::vector<int64_t> places_, more_;
};

}  // namespace segue

#endif  // SEGUE_TRAINER_EVALUATION_ANSWER_SPREAD_H_
