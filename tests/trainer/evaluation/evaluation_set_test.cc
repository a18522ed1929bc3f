#include "trainer/evaluation/evaluation_set.h"

#include "gmock/gmock.h"
#include "tests/trainer/toy_dataset.h"

namespace segue {
namespace {

using ::segue::testing::ToyLog;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// User 0 has the items 5 3 5 1 3, user 1 has 2 0.
EventLog Log() {
  return ToyLog({{{5, 1}, {3, 2}, {5, 3}, {1, 4}, {3, 5}}, {{2, 1}, {0, 2}}});
}

TEST(EvaluationSetTest, ExcludedAreTheWholeHistoryAscendingAndOnce) {
  const EvaluationSet set = MakeEvaluationSet(Log(),
                                              {{.user = 0, .target = 4},
                                               {.user = 0, .target = 1},
                                               {.user = 1, .target = 6},
                                               {.user = 1, .target = 5}},
                                              /*filter_seen=*/true);
  EXPECT_THAT(set.excluded, ElementsAre(ElementsAre(1, 3, 5), ElementsAre(5),
                                        ElementsAre(2), IsEmpty()));
}

TEST(EvaluationSetTest, NothingIsExcludedWithoutFilter) {
  const EvaluationSet set = MakeEvaluationSet(Log(), {{.user = 0, .target = 4}},
                                              /*filter_seen=*/false);
  EXPECT_THAT(set.excluded, ElementsAre(IsEmpty()));
}

TEST(EvaluationSetTest, TargetsAreTheItemsOfTheTargetEvents) {
  const EvaluationSet set =
      MakeEvaluationSet(Log(),
                        {{.user = 0, .target = 3},
                         {.user = 0, .target = 1, .gap = 1, .targets = 3}},
                        /*filter_seen=*/true);
  // The event in the gap is neither history nor target.
  EXPECT_THAT(set.targets, ElementsAre(ElementsAre(1), ElementsAre(1, 3, 5)));
  EXPECT_THAT(set.excluded[1], ElementsAre(5));
}

}  // namespace
}  // namespace segue
