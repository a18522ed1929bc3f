#include "trainer/evaluation/popularity.h"

#include <numeric>
#include <vector>

#include "gmock/gmock.h"
#include "tests/trainer/toy_dataset.h"

namespace segue {
namespace {

using ::segue::testing::ToyLog;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

// Item 2 three times, 1 and 3 twice, 0 once in training; item 4 only in the
// test, thrice; item 5 never.
class MostPopularTest : public ::testing::Test {
 protected:
  MostPopularTest()
      : log_(ToyLog({{{2, 1}, {3, 2}, {1, 3}, {2, 4}, {4, 9}, {4, 9}},
                     {{2, 1}, {1, 2}, {3, 3}, {0, 4}, {4, 9}}})) {
    split_.train_ends = {4, 10};
  }

  RankedLists Lists(bool filter_seen) const {
    return MostPopular(log_, split_, /*items=*/6,
                       {{.user = 0, .target = 4}, {.user = 1, .target = 8}},
                       filter_seen);
  }

  const EventLog log_;
  Split split_;
};

TEST_F(MostPopularTest, CountsTrainingEventsAndBreaksTiesByRow) {
  EXPECT_THAT(Lists(/*filter_seen=*/false),
              ElementsAre(ElementsAre(2, 1, 3, 0, 4, 5),
                          ElementsAre(2, 1, 3, 0, 4, 5)));
}

TEST_F(MostPopularTest, LeavesEachQuerysHistoryOut) {
  EXPECT_THAT(Lists(/*filter_seen=*/true),
              ElementsAre(ElementsAre(0, 4, 5), ElementsAre(3, 0, 4, 5)));
}

TEST_F(MostPopularTest, NoQueriesNoLists) {
  EXPECT_THAT(MostPopular(log_, split_, 6, {}, false), IsEmpty());
}

TEST(MostPopularDepthTest, ListsAreAsDeepAsReportsGo) {
  const EventLog log = ToyLog({{{0, 1}, {1, 2}}});
  Split split;
  split.train_ends = {2};
  const std::vector<EvaluationQuery> query = {{.user = 0, .target = 1}};
  EXPECT_EQ(MostPopular(log, split, 1500, query, false)[0].size(), 1000u);
  // Rows that a filter takes away are made up for.
  std::vector<int32_t> without_first(1000);
  std::iota(without_first.begin(), without_first.end(), 1);
  EXPECT_THAT(MostPopular(log, split, 1500, query, true)[0],
              ElementsAreArray(without_first));
}

}  // namespace
}  // namespace segue
