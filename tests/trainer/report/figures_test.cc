#include "trainer/report/figures.h"

#include "gmock/gmock.h"
#include "tests/trainer/report/full_report.h"

namespace segue {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;

TEST(FiguresTest, DepthsAreInTheOrderOfNumbers) {
  EXPECT_THAT(Depths(testing::Ranking(0.5)),
              ElementsAre(5, 10, 30, 50, 100, 300, 500, 1000));
}

TEST(FiguresTest, MissingFiguresAreADash) {
  v1::RankingReport ranking;
  EXPECT_EQ(RecallAt(ranking, 10).text, "-");
  (*ranking.mutable_recall())["10"] = 0;
  EXPECT_EQ(RecallAt(ranking, 10).text, "0.0000");
  EXPECT_EQ(RecallAt(ranking, 10).note, "");
  (*ranking.mutable_recall_interval())["10"].set_high(0.5);
  EXPECT_EQ(RecallAt(ranking, 10).note, "[0.0000, 0.5000]");
}

TEST(FiguresTest, OnlyMeasuredBaselinesAreThere) {
  v1::SplitReport test;
  EXPECT_TRUE(BaselinesOf(test).empty());
  *test.mutable_baselines()->mutable_transitions() = testing::Ranking(0.5);
  *test.mutable_baselines()->mutable_popularity() = testing::Ranking(0.1);
  EXPECT_THAT(BaselinesOf(test),
              ElementsAre(Field(&NamedRanking::name, "most popular"),
                          Field(&NamedRanking::name, "transitions")));
  EXPECT_EQ(BaselineName("some_other"), "some other");
}

TEST(FiguresTest, LossesAreThoseNamedAndThoseSeen) {
  v1::SplitReport test;
  *test.mutable_exact() = testing::Ranking(0.5);
  *test.mutable_baselines()->mutable_popularity() = testing::Ranking(0.5);
  EXPECT_TRUE(LostTo(test).empty()) << "as good is not above";
  // Above at 100 alone, and not named by the report.
  (*test.mutable_baselines()->mutable_popularity()->mutable_recall())["100"] =
      0.9;
  test.add_lost_to("item_knn");
  EXPECT_THAT(LostTo(test), ElementsAre("item kNN", "most popular"));
  test.add_lost_to("popularity");
  EXPECT_THAT(LostTo(test), ElementsAre("item kNN", "most popular"));
}

TEST(FiguresTest, CountsAreGroupedByThousands) {
  EXPECT_EQ(Count(0), "0");
  EXPECT_EQ(Count(999), "999");
  EXPECT_EQ(Count(1000), "1,000");
  EXPECT_EQ(Count(46467212), "46,467,212");
  EXPECT_EQ(Count(-123456), "-123,456");
}

TEST(FiguresTest, SecondsAndBytesHaveUnits) {
  EXPECT_EQ(Seconds(3.52), "3.5 s");
  EXPECT_EQ(Seconds(119), "119 s");
  EXPECT_EQ(Seconds(678), "678 s (11 min 18 s)");
  EXPECT_EQ(Seconds(9000), "9000 s (2 h 30 min)");
  EXPECT_EQ(Megabytes(12500000), "12.5 MB");
}

}  // namespace
}  // namespace segue
