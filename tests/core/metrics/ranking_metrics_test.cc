#include "core/metrics/ranking_metrics.h"

#include <cmath>
#include <ostream>
#include <string>
#include <vector>

#include "gmock/gmock.h"

namespace segue {
namespace {

using ::testing::ElementsAre;

struct Case {
  std::string name;
  std::vector<int64_t> ranks;
  int64_t relevant;
  double recall;  // all at k = 3
  double ndcg;
  double hit_rate;
  double reciprocal_rank;
};

void PrintTo(const Case& test, std::ostream* out) { *out << test.name; }

class OneQueryTest : public ::testing::TestWithParam<Case> {};

TEST_P(OneQueryTest, HasTheMetricsOfItsDefinition) {
  const Case& test = GetParam();
  RankingMetrics metrics({3});
  metrics.Add(/*user=*/0, test.ranks, test.relevant);
  const RankingReport report = metrics.Summarize(/*resamples=*/0, /*seed=*/1);
  EXPECT_DOUBLE_EQ(report.recall.at(3).mean, test.recall);
  EXPECT_NEAR(report.ndcg.at(3).mean, test.ndcg, 1e-12);
  EXPECT_DOUBLE_EQ(report.hit_rate.at(3).mean, test.hit_rate);
  EXPECT_DOUBLE_EQ(report.reciprocal_rank.mean, test.reciprocal_rank);
}

const double kSecond = 1 / std::log2(3.0);  // discount of the second place

INSTANTIATE_TEST_SUITE_P(
    Table, OneQueryTest,
    ::testing::Values(
        Case{"FirstPlaceIsPerfect", {0}, 1, 1, 1, 1, 1},
        Case{"LastPlaceWithinK", {2}, 1, 1, .5, 1, 1. / 3},
        Case{"JustBeyondK", {3}, 1, 0, 0, 0, 0},
        Case{"NotFound", {-1}, 1, 0, 0, 0, 0},
        Case{"NothingFoundOfTwo", {}, 2, 0, 0, 0, 0},
        Case{"OneOfTwo", {1}, 2, .5, kSecond / (1 + kSecond), 1, .5},
        Case{"BothInAnyOrder", {1, 0}, 2, 1, 1, 1, 1},
        Case{"MoreRelevantThanK", {0, 1, 2}, 6, .5, 1, 1, 1}),
    [](const auto& info) { return info.param.name; });

TEST(RankingMetricsTest, MeanIsOverQueriesAndIntervalsHoldIt) {
  RankingMetrics metrics({1, 10});
  metrics.Add(0, 0);
  metrics.Add(0, 5);
  metrics.Add(1, -1);
  metrics.Add(2, 0);
  const RankingReport report = metrics.Summarize(500, 1);
  EXPECT_EQ(report.queries, 4);
  EXPECT_EQ(report.users, 3);
  EXPECT_DOUBLE_EQ(report.recall.at(1).mean, 0.5);
  EXPECT_DOUBLE_EQ(report.recall.at(10).mean, 0.75);
  EXPECT_LT(report.recall.at(10).low, 0.75);
  EXPECT_GT(report.recall.at(10).high, 0.75);
}

// A user's queries stand or fall together, so 100 queries of two users are
// worth two: all or nothing, either of them, must be within the interval.
TEST(RankingMetricsTest, UsersAreDrawnWhole) {
  RankingMetrics metrics({1});
  for (int i = 0; i < 50; ++i) {
    metrics.Add(0, 0);
    metrics.Add(1, -1);
  }
  const Estimate recall = metrics.Summarize(500, 1).recall.at(1);
  EXPECT_DOUBLE_EQ(recall.mean, 0.5);
  EXPECT_DOUBLE_EQ(recall.low, 0);
  EXPECT_DOUBLE_EQ(recall.high, 1);
}

// Of n independent coin throws the standard error is sqrt(p (1 - p) / n).
TEST(RankingMetricsTest, IntervalHasTheWidthOfTheNormalApproximation) {
  RankingMetrics metrics({1});
  for (int user = 0; user < 1000; ++user) metrics.Add(user, user % 4 ? -1 : 0);
  const Estimate recall = metrics.Summarize(2000, 7).recall.at(1);
  const double error = std::sqrt(0.25 * 0.75 / 1000);
  EXPECT_NEAR(recall.low, 0.25 - 1.96 * error, 0.003);
  EXPECT_NEAR(recall.high, 0.25 + 1.96 * error, 0.003);
}

TEST(RankingMetricsTest, TheSeedDecidesTheInterval) {
  RankingMetrics metrics({1});
  for (int user = 0; user < 99; ++user) metrics.Add(user, user % 7);
  const auto low = [&](uint64_t seed) {
    return metrics.Summarize(100, seed).ndcg.at(1).low;
  };
  EXPECT_EQ(low(1), low(1));
  const auto reciprocal = [&](uint64_t seed) {
    return metrics.Summarize(100, seed).reciprocal_rank.high;
  };
  EXPECT_EQ(reciprocal(3), reciprocal(3));
}

TEST(RankingMetricsTest, NothingAddedIsZero) {
  const RankingReport report = RankingMetrics({5}).Summarize(10, 1);
  EXPECT_EQ(report.queries, 0);
  EXPECT_EQ(report.recall.at(5).mean, 0);
  EXPECT_EQ(report.recall.at(5).high, 0);
}

TEST(RankingMetricsTest, KsAreSortedAndEachOnce) {
  EXPECT_THAT(RankingMetrics({10, 5, 10}).ks(), ElementsAre(5, 10));
}

TEST(RecallRatioTest, DrawsTheSameUsersForBoth) {
  RankingMetrics found({1, 5}), exact({5});
  for (int user = 0; user < 40; ++user) {
    // The approximate answer loses nothing that the exact one finds.
    const int64_t rank = user % 2 ? 0 : -1;
    found.Add(user, rank);
    exact.Add(user, rank);
  }
  const Estimate ratio = RecallRatio(found, exact, 5, 200, 1);
  EXPECT_DOUBLE_EQ(ratio.mean, 1);
  EXPECT_DOUBLE_EQ(ratio.low, 1);
  EXPECT_DOUBLE_EQ(ratio.high, 1);
}

TEST(RecallRatioTest, IsWhatIsLeftOfTheExactRecall) {
  RankingMetrics found({5}), exact({5});
  for (int user = 0; user < 40; ++user) {
    exact.Add(user, 0);
    found.Add(user, user % 4 ? 0 : -1);
  }
  const Estimate ratio = RecallRatio(found, exact, 5, 200, 1);
  EXPECT_DOUBLE_EQ(ratio.mean, 0.75);
  EXPECT_LT(ratio.low, 0.75);
  EXPECT_GT(ratio.high, 0.75);
}

TEST(RankOfTest, IsThePlaceOrMinusOne) {
  EXPECT_EQ(RankOf({7, 8, 9}, 7), 0);
  EXPECT_EQ(RankOf({7, 8, 9}, 9), 2);
  EXPECT_EQ(RankOf({7, 8, 9}, 1), -1);
}

}  // namespace
}  // namespace segue
