#include "trainer/evaluation/answer_spread.h"

#include <numeric>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "trainer/evaluation/ranked_lists.h"

namespace segue {
namespace {

using ::google::protobuf::util::MessageDifferencer;
using ::testing::DoubleEq;
using ::testing::ElementsAre;

v1::RankingReport Spread(const std::vector<RankedLists>& blocks,
                         const std::vector<int32_t>& more_popular) {
  AnswerSpread spread(more_popular, kReportDepths);
  for (const RankedLists& lists : blocks) spread.Add(lists);
  v1::RankingReport report;
  spread.Fill(report);
  return report;
}

TEST(MorePopularTest, CountsItemsWithAGreaterCount) {
  EXPECT_THAT(MorePopular({1, 5, 1, 0}), ElementsAre(1, 0, 1, 3));
}

TEST(AnswerSpreadTest, CountsDifferentItemsOfAllAnswers) {
  const v1::RankingReport report =
      Spread({{{0, 1, 2, 3, 4, 5}, {0, 1}}}, {0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_THAT(report.coverage().at("5"), DoubleEq(5. / 8));
  EXPECT_THAT(report.coverage().at("10"), DoubleEq(6. / 8));
  EXPECT_THAT(report.coverage().at("1000"), DoubleEq(6. / 8));
  EXPECT_THAT(report.popularity_rank().at("5"), DoubleEq(1.375 / 7));
  EXPECT_THAT(report.popularity_rank().at("10"), DoubleEq(2. / 8));
}

TEST(AnswerSpreadTest, WithoutAnswersIsZero) {
  const v1::RankingReport report = Spread({{{}}}, {0, 1});
  EXPECT_EQ(report.coverage().at("5"), 0);
  EXPECT_EQ(report.popularity_rank().at("5"), 0);
}

TEST(AnswerSpreadTest, NeitherBlocksNorTheirOrderChangeAFigure) {
  // Item 7 is sixth in one answer and first in a later one.
  const RankedLists first = {{0, 1, 2, 3, 4, 7}, {3, 0}}, second = {{7, 5}};
  const std::vector<int32_t> more_popular = {0, 1, 2, 3, 4, 5, 6, 7};
  const v1::RankingReport whole =
      Spread({{first[0], first[1], second[0]}}, more_popular);
  EXPECT_THAT(whole.coverage().at("5"), DoubleEq(7. / 8));
  for (const auto& blocks : {std::vector<RankedLists>{first, second},
                             std::vector<RankedLists>{second, first}}) {
    EXPECT_TRUE(
        MessageDifferencer::Equals(Spread(blocks, more_popular), whole));
  }
}

// Every item once: popularity does not count.
TEST(AnswerSpreadTest, EvenAnswersHaveRankOneHalf) {
  std::vector<double> counts(1001);
  std::iota(counts.begin(), counts.end(), 0);
  std::vector<int32_t> all(1000);
  std::iota(all.begin(), all.end(), 1);
  const v1::RankingReport report = Spread({{all, {0}}}, MorePopular(counts));
  EXPECT_NEAR(report.popularity_rank().at("1000"), 0.5, 0.001);
  EXPECT_EQ(report.coverage().at("1000"), 1);
}

}  // namespace
}  // namespace segue
