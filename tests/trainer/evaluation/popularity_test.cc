#include "trainer/evaluation/popularity.h"

#include <numeric>
#include <vector>

#include "gmock/gmock.h"
#include "tests/trainer/toy_dataset.h"

namespace segue {
namespace {

using ::segue::testing::ToyLog;
using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

constexpr uint32_t kDay = 86400;

// Item 2 three times, 1 and 3 twice, 0 once in training; item 4 only in the
// test, thrice; item 5 never.
class PopularityTest : public ::testing::Test {
 protected:
  PopularityTest()
      : log_(ToyLog({{{2, 1}, {3, 2}, {1, 3}, {2, 4}, {4, 9}, {4, 9}},
                     {{2, 1}, {1, 2}, {3, 3}, {0, 4}, {4, 9}}})) {
    split_.train_ends = {4, 10};
  }

  RankedLists Fill(RankedLists lists, bool filter_seen) const {
    FillUp(ByCount(CountTraining(log_, split_, /*items=*/6).targets),
           MakeEvaluationSet(
               log_, {{.user = 0, .target = 4}, {.user = 1, .target = 8}},
               filter_seen),
           lists);
    return lists;
  }

  EventLog log_;
  Split split_;
};

TEST_F(PopularityTest, CountsTrainingEventsOnly) {
  const ItemCounts counts = CountTraining(log_, split_, 6);
  EXPECT_THAT(counts.events, ElementsAre(1, 2, 3, 2, 0, 0));
  EXPECT_EQ(counts.targets, counts.events);
}

TEST_F(PopularityTest, WhatIsHistoryOnlyIsNotPopular) {
  log_.targets.assign(log_.size(), true);
  log_.targets[0] = log_.targets[3] = false;  // two of item 2
  const ItemCounts counts = CountTraining(log_, split_, 6);
  EXPECT_THAT(counts.events, ElementsAre(1, 2, 3, 2, 0, 0));
  EXPECT_THAT(counts.targets, ElementsAre(1, 2, 1, 2, 0, 0));
  EXPECT_THAT(Fill({{}, {}}, /*filter_seen=*/false)[0],
              ElementsAre(1, 3, 0, 2, 4, 5));
}

TEST_F(PopularityTest, TiesGoToTheLowerRow) {
  EXPECT_THAT(Fill({{}, {}}, /*filter_seen=*/false),
              ElementsAre(ElementsAre(2, 1, 3, 0, 4, 5),
                          ElementsAre(2, 1, 3, 0, 4, 5)));
}

TEST_F(PopularityTest, LeavesEachQuerysExcludedItemsOut) {
  EXPECT_THAT(Fill({{}, {}}, /*filter_seen=*/true),
              ElementsAre(ElementsAre(0, 4, 5), ElementsAre(3, 0, 4, 5)));
}

TEST_F(PopularityTest, FollowsWhatAListHasWithoutRepeatingIt) {
  EXPECT_THAT(Fill({{5, 2}, {}}, /*filter_seen=*/false)[0],
              ElementsAre(5, 2, 1, 3, 0, 4));
}

TEST(FillUpTest, ListsAreAsDeepAsReportsGo) {
  const EventLog log = ToyLog({{{0, 1}, {1, 2}}});
  std::vector<int32_t> order(1500);
  std::iota(order.begin(), order.end(), 0);
  RankedLists lists(1);
  FillUp(order, MakeEvaluationSet(log, {{.user = 0, .target = 1}}, false),
         lists);
  EXPECT_EQ(lists[0].size(), 1000u);
  // Rows that a filter takes away are made up for.
  lists = {{}};
  FillUp(order, MakeEvaluationSet(log, {{.user = 0, .target = 1}}, true),
         lists);
  std::vector<int32_t> without_first(1000);
  std::iota(without_first.begin(), without_first.end(), 1);
  EXPECT_THAT(lists[0], ElementsAreArray(without_first));
}

TEST(FillUpTest, NoQueriesNoLists) {
  RankedLists lists;
  FillUp({0, 1}, EvaluationSet(), lists);
  EXPECT_THAT(lists, IsEmpty());
}

TEST(RecentTargetCountsTest, AnEventHalvesWithEachHalfLife) {
  // Item 0 twice long ago, 1 once now, 2 once a half-life ago; the test's event
  // of item 3 is later and does not count, nor does it set the clock.
  EventLog log =
      ToyLog({{{0, 0}, {0, 0}, {2, 4 * kDay}, {1, 6 * kDay}, {3, 90 * kDay}}});
  Split split;
  split.train_ends = {4};
  split.latest_training_time = 6 * kDay;
  EXPECT_THAT(RecentTargetCounts(log, split, 4, /*half_life_days=*/2),
              ElementsAre(DoubleEq(0.25), DoubleEq(1), DoubleEq(0.5), 0));
  log.targets = {true, false, true, false, true};
  EXPECT_THAT(RecentTargetCounts(log, split, 4, /*half_life_days=*/2),
              ElementsAre(DoubleEq(0.125), 0, DoubleEq(0.5), 0));
}

}  // namespace
}  // namespace segue
