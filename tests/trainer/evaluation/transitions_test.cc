#include "trainer/evaluation/transitions.h"

#include <vector>

#include "gmock/gmock.h"
#include "tests/trainer/toy_dataset.h"
#include "trainer/evaluation/popularity.h"

namespace segue {
namespace {

using ::segue::testing::ToyLog;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// After 1: 2 twice, then 3 and 1 itself once each; 4 only once the test began.
class TransitionsTest : public ::testing::Test {
 protected:
  TransitionsTest()
      : log_(ToyLog({{{1, 0}, {2, 0}, {1, 0}, {1, 0}, {3, 0}},
                     {{5, 0}, {1, 0}, {2, 0}, {1, 0}, {4, 0}},
                     {{3, 0}, {1, 0}}})) {
    split_.train_ends = {5, 9, 12};
  }

  RankedLists Lists(const std::vector<EvaluationQuery>& queries,
                    bool filter_seen) const {
    return Transitions(log_, split_, CountTraining(log_, split_, 6),
                       MakeEvaluationSet(log_, queries, filter_seen),
                       /*threads=*/2);
  }

  EventLog log_;
  Split split_;
};

TEST_F(TransitionsTest, CountWhatFollowsAtOnceInTraining) {
  EXPECT_THAT(Lists({{.user = 1, .target = 9}}, /*filter_seen=*/false),
              ElementsAre(ElementsAre(2, 1, 3)));
}

TEST_F(TransitionsTest, ExcludedItemsAreLeftOut) {
  EXPECT_THAT(Lists({{.user = 1, .target = 9}}, /*filter_seen=*/true),
              ElementsAre(ElementsAre(3)));
}

TEST_F(TransitionsTest, OnlyTargetsFollow) {
  // User 0's 2 and 3 are no targets, nor is the second 1, which the third
  // follows all the same.
  log_.targets.assign(log_.size(), true);
  log_.targets[1] = log_.targets[2] = log_.targets[4] = false;
  EXPECT_THAT(Lists({{.user = 1, .target = 9}}, /*filter_seen=*/false),
              ElementsAre(ElementsAre(1, 2)));
}

TEST_F(TransitionsTest, QueriesOfOneItemAnswerEachByItsOwnExclusions) {
  EXPECT_THAT(Lists({{.user = 1, .target = 9}, {.user = 0, .target = 1}},
                    /*filter_seen=*/true),
              ElementsAre(ElementsAre(3), ElementsAre(2, 3)));
}

TEST_F(TransitionsTest, NothingFollowsTheLastEventOfAUser) {
  // 5 opens user 1's events, after user 0's 3: no transition from 3 to 5.
  EXPECT_THAT(Lists({{.user = 0, .target = 5}}, /*filter_seen=*/false),
              ElementsAre(ElementsAre(1)));
}

TEST_F(TransitionsTest, NoHistoryNoAnswer) {
  EXPECT_THAT(Lists({{.user = 2, .target = 10}}, /*filter_seen=*/false),
              ElementsAre(IsEmpty()));
}

}  // namespace
}  // namespace segue
