#include "trainer/evaluation/occurrences.h"

#include <vector>

#include "gmock/gmock.h"
#include "tests/trainer/toy_dataset.h"
#include "trainer/evaluation/popularity.h"

namespace segue {
namespace {

using ::segue::testing::ToyEvent;
using ::segue::testing::ToyLog;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(OccurrencesTest, AreTheTrainingEventsOfWantedItems) {
  const EventLog log =
      ToyLog({{{3, 1}, {1, 2}, {3, 3}, {3, 4}}, {{1, 1}, {3, 2}, {2, 3}}});
  Split split;
  split.train_ends = {3, 7};  // not the second last event of user 0
  const std::vector<double> counts = CountTraining(log, split, 5).events;
  const Occurrences found(log, split, counts, {3, 4, 3}, /*most=*/10);
  ASSERT_EQ(found.slots(), 2);
  EXPECT_EQ(found.SlotOf(1), -1);
  EXPECT_EQ(found.RowOf(found.SlotOf(4)), 4);
  EXPECT_THAT(found.Of(found.SlotOf(3)), ElementsAre(0, 2, 5));
  EXPECT_THAT(found.Of(found.SlotOf(4)), IsEmpty());
}

TEST(OccurrencesTest, ManyAreThinnedEvenly) {
  const EventLog log = ToyLog({std::vector<ToyEvent>(10, ToyEvent{0, 1})});
  Split split;
  split.train_ends = {10};
  const std::vector<double> counts = {10};
  EXPECT_THAT(Occurrences(log, split, counts, {0}, /*most=*/5).Of(0),
              ElementsAre(0, 2, 4, 6, 8));
  EXPECT_THAT(Occurrences(log, split, counts, {0}, /*most=*/3).Of(0),
              ElementsAre(0, 3, 6));
  EXPECT_EQ(Occurrences(log, split, counts, {0}, /*most=*/9).Of(0).size(), 9u);
}

}  // namespace
}  // namespace segue
