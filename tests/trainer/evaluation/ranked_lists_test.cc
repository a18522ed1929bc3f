#include "trainer/evaluation/ranked_lists.h"

#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "tests/trainer/toy_dataset.h"

namespace segue {
namespace {

using ::segue::testing::ToyLog;
using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

// User 0 has the items 5 3 5 1 3, user 1 has 2 0.
EventLog Log() {
  return ToyLog({{{5, 1}, {3, 2}, {5, 3}, {1, 4}, {3, 5}}, {{2, 1}, {0, 2}}});
}

// A list of `length` rows with the target at `place`; -1: nowhere.
std::vector<int32_t> ListWith(int32_t target, int place, int length) {
  std::vector<int32_t> list(length, -1);  // rows that the data lacks
  if (place >= 0) list[place] = target;
  return list;
}

RankingMetrics Measured(const EvaluationSet& set, const RankedLists& lists) {
  RankingMetrics metrics(kReportDepths);
  AddLists(set, lists, metrics);
  return metrics;
}

TEST(AddListsTest, RanksEachQuerysTargetInItsOwnList) {
  const EventLog log = Log();
  const std::vector<EvaluationQuery> queries = {{.user = 0, .target = 3},
                                                {.user = 0, .target = 4},
                                                {.user = 1, .target = 6}};
  // Targets 1, 3 and 0.
  const v1::RankingReport report = ToReport(
      Measured(MakeEvaluationSet(log, queries, /*filter_seen=*/false),
               {ListWith(1, 0, 12), ListWith(3, 9, 12), ListWith(0, -1, 12)}),
      /*resamples=*/0, /*seed=*/1);
  EXPECT_THAT(report.recall().at("5"), DoubleEq(1. / 3));
  EXPECT_THAT(report.recall().at("10"), DoubleEq(2. / 3));
  EXPECT_THAT(report.recall().at("1000"), DoubleEq(2. / 3));
  EXPECT_THAT(report.ndcg().at("5"), DoubleEq(1. / 3));
  EXPECT_THAT(report.ndcg().at("10"), DoubleEq((1 + 1 / std::log2(11.)) / 3));
}

TEST(AddListsTest, SeveralTargetsShareTheRecall) {
  const EventLog log = Log();
  // User 0 has 5 1 3 after its first two events.
  const EvaluationSet set = MakeEvaluationSet(
      log, {{.user = 0, .target = 2, .targets = 3}}, /*filter_seen=*/false);
  const v1::RankingReport report =
      ToReport(Measured(set, {{0, 3, 4, 2, 6, 5}}), /*resamples=*/0, 1);
  EXPECT_THAT(report.recall().at("5"), DoubleEq(1. / 3));
  EXPECT_THAT(report.recall().at("10"), DoubleEq(2. / 3));
  EXPECT_EQ(report.hit_rate().at("5"), 1);
  EXPECT_THAT(report.mrr(), DoubleEq(0.5));
  const double best = 1 + 1 / std::log2(3.) + 1 / std::log2(4.);
  EXPECT_THAT(report.ndcg().at("5"), DoubleEq(1 / std::log2(3.) / best));
}

TEST(RanksOfTest, AreThePlacesOfTargetsBestFirst) {
  EXPECT_THAT(RanksOf({7, -1, 2, -1, 5}, {2, 3, 7}), ElementsAre(0, 2));
  EXPECT_THAT(RanksOf({7}, {}), IsEmpty());
  EXPECT_THAT(RanksOf({}, {1}), IsEmpty());
}

TEST(AddListsTest, ListsAreAsDeepAsTheyAre) {
  const EventLog log = Log();
  const EvaluationSet set =
      MakeEvaluationSet(log, {{.user = 1, .target = 6}}, /*filter_seen=*/false);
  const v1::RankingReport report =
      ToReport(Measured(set, {{}}), /*resamples=*/0, 1);
  EXPECT_EQ(report.recall().at("1000"), 0);
}

TEST(ToReportTest, HoldsEveryDepth) {
  const v1::RankingReport report =
      ToReport(RankingMetrics(kReportDepths), /*resamples=*/3, /*seed=*/1);
  EXPECT_THAT(
      report.recall(),
      UnorderedElementsAre(Pair("5", 0), Pair("10", 0), Pair("30", 0),
                           Pair("50", 0), Pair("100", 0), Pair("300", 0),
                           Pair("500", 0), Pair("1000", 0)));
  for (int32_t k : kReportDepths) {
    const std::string key = absl::StrCat(k);
    EXPECT_EQ(report.ndcg().count(key), 1u);
    EXPECT_EQ(report.recall_interval().count(key), 1u);
    EXPECT_EQ(report.ndcg_interval().count(key), 1u);
    EXPECT_EQ(report.hit_rate().count(key), 1u);
  }
  EXPECT_TRUE(report.has_mrr_interval());
}

TEST(ToReportTest, MeanReciprocalRankCountsTheGreatestDepthOnly) {
  RankingMetrics metrics(kReportDepths);
  metrics.Add(0, 3);
  metrics.Add(1, 999);
  metrics.Add(2, -1);
  const v1::RankingReport report = ToReport(metrics, /*resamples=*/50, 1);
  EXPECT_THAT(report.mrr(), DoubleEq((0.25 + 0.001) / 3));
  EXPECT_LT(report.mrr_interval().low(), report.mrr());
  EXPECT_GT(report.mrr_interval().high(), report.mrr());
}

TEST(ToReportTest, IntervalsAreOverUsersAndAFunctionOfTheSeed) {
  RankingMetrics metrics(kReportDepths);
  for (int32_t user = 0; user < 40; ++user) metrics.Add(user, user % 2 * 200);
  const v1::RankingReport report = ToReport(metrics, /*resamples=*/200, 1);
  const v1::Interval& interval = report.recall_interval().at("5");
  EXPECT_THAT(report.recall().at("5"), DoubleEq(0.5));
  EXPECT_LT(interval.low(), 0.45);
  EXPECT_GT(interval.low(), 0.2);
  EXPECT_GT(interval.high(), 0.55);
  EXPECT_LT(interval.high(), 0.8);
  EXPECT_EQ(report.SerializeAsString().size(),
            ToReport(metrics, 200, 1).SerializeAsString().size());
  EXPECT_EQ(ToReport(metrics, 200, 1).recall_interval().at("5").low(),
            interval.low());
  // Every user finds the target within 300: nothing is uncertain.
  EXPECT_EQ(report.recall_interval().at("300").low(), 1);
}

TEST(ToReportTest, IntervalOfOneUserIsThePoint) {
  RankingMetrics metrics(kReportDepths);
  metrics.Add(0, 0);
  metrics.Add(0, -1);
  const v1::RankingReport report = ToReport(metrics, /*resamples=*/50, 1);
  EXPECT_THAT(report.recall_interval().at("10").low(), DoubleEq(0.5));
  EXPECT_THAT(report.recall_interval().at("10").high(), DoubleEq(0.5));
}

}  // namespace
}  // namespace segue
