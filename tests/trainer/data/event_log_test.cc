#include "gmock/gmock.h"
#include "tests/trainer/toy_dataset.h"
#include "trainer/data/dataset.h"

namespace segue {
namespace {

using ::segue::testing::ToyLog;

TEST(EventLogTest, UserOfPassesOverUsersWithoutEvents) {
  const EventLog log = ToyLog({{}, {{5, 0}, {6, 1}}, {}, {}, {{7, 0}}, {}});
  EXPECT_EQ(log.UserOf(0), 1);
  EXPECT_EQ(log.UserOf(1), 1);
  EXPECT_EQ(log.UserOf(2), 4);
}

}  // namespace
}  // namespace segue
