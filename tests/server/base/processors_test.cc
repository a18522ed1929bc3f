#include "server/base/processors.h"

#include <sched.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace segue {
namespace {

using ::testing::Optional;

TEST(ProcessorsOfQuotaTest, IsQuotaByPeriod) {
  EXPECT_THAT(ProcessorsOfQuota("150000 100000\n"), Optional(1.5));
  EXPECT_THAT(ProcessorsOfQuota("50000 100000"), Optional(.5));
}

TEST(ProcessorsOfQuotaTest, NoLimitIsNone) {
  for (const char* text :
       {"max 100000\n", "", "100000", "0 100000", "100000 0", "1 2 3"}) {
    EXPECT_EQ(ProcessorsOfQuota(text), std::nullopt) << text;
  }
}

TEST(ControlGroupTest, IsTheOneOfVersionTwo) {
  EXPECT_EQ(ControlGroup("0::/a/b\n"), "/a/b");
  EXPECT_EQ(ControlGroup("1:cpu:/x\n0::/y/\n"), "/y");
  EXPECT_EQ(ControlGroup("0::/\n"), "");
  EXPECT_EQ(ControlGroup("1:cpu:/x\n"), "");
}

TEST(UsableProcessorsTest, AreThoseOfTheThreadsAffinity) {
  cpu_set_t before, one;
  CPU_ZERO(&before);
  CPU_ZERO(&one);
  ASSERT_EQ(::sched_getaffinity(0, sizeof(before), &before), 0);
  int first = 0;
  while (!CPU_ISSET(first, &before)) ++first;
  CPU_SET(first, &one);
  ASSERT_EQ(::sched_setaffinity(0, sizeof(one), &one), 0);
  EXPECT_EQ(UsableProcessors(), 1);
  ASSERT_EQ(::sched_setaffinity(0, sizeof(before), &before), 0);
  EXPECT_GE(UsableProcessors(), 1);
  EXPECT_LE(UsableProcessors(), CPU_COUNT(&before));
}

}  // namespace
}  // namespace segue
