#include "trainer/evaluation/answer_spread.h"

#include <numeric>
#include <vector>

#include "gmock/gmock.h"

namespace segue {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;

TEST(PopularityRanksTest, AreTheShareThatHasMore) {
  EXPECT_THAT(PopularityRanks({1, 5, 1, 0}), ElementsAre(0.25, 0, 0.25, 0.75));
}

TEST(FillSpreadTest, CountsDifferentItemsOfAllAnswers) {
  const std::vector<double> ranks = {0,   0.125, 0.25, 0.375,
                                     0.5, 0.625, 0.75, 0.875};
  v1::RankingReport report;
  FillSpread({{0, 1, 2, 3, 4, 5}, {0, 1}}, ranks, report);
  EXPECT_THAT(report.coverage().at("5"), DoubleEq(5. / 8));
  EXPECT_THAT(report.coverage().at("10"), DoubleEq(6. / 8));
  EXPECT_THAT(report.coverage().at("1000"), DoubleEq(6. / 8));
  EXPECT_THAT(report.popularity_rank().at("5"), DoubleEq(1.375 / 7));
  EXPECT_THAT(report.popularity_rank().at("10"), DoubleEq(2. / 8));
}

TEST(FillSpreadTest, WithoutAnswersIsZero) {
  v1::RankingReport report;
  FillSpread({{}}, {0, 0.5}, report);
  EXPECT_EQ(report.coverage().at("5"), 0);
  EXPECT_EQ(report.popularity_rank().at("5"), 0);
}

// Every item once: popularity does not count.
TEST(FillSpreadTest, EvenAnswersHaveRankOneHalf) {
  std::vector<double> counts(1001);
  std::iota(counts.begin(), counts.end(), 0);
  std::vector<int32_t> all(1000);
  std::iota(all.begin(), all.end(), 1);
  v1::RankingReport report;
  FillSpread({all, {0}}, PopularityRanks(counts), report);
  EXPECT_NEAR(report.popularity_rank().at("1000"), 0.5, 0.001);
  EXPECT_EQ(report.coverage().at("1000"), 1);
}

}  // namespace
}  // namespace segue
