#include "server/base/process.h"

#include <pthread.h>
#include <sched.h>

#include <string>

#include "gtest/gtest.h"

namespace segue {
namespace {

std::string ThreadName() {
  char name[16] = "";
  ::pthread_getname_np(::pthread_self(), name, sizeof name);
  return name;
}

TEST(RunInIdleTimeTest, TheWorkGivesWayAndTheCallerDoesNot) {
  const int before = ::sched_getscheduler(0);
  int during = -1;
  std::string name;
  RunInIdleTime([&] {
    during = ::sched_getscheduler(0);
    name = ThreadName();
  });
  EXPECT_EQ(during, SCHED_IDLE);
  EXPECT_EQ(name, "loading");
  EXPECT_EQ(::sched_getscheduler(0), before);
}

TEST(NameThreadTest, LongNamesAreCut) {
  const std::string before = ThreadName();
  NameThread("0123456789abcdefgh");
  EXPECT_EQ(ThreadName(), "0123456789abcde");
  NameThread(before);
  EXPECT_EQ(ThreadName(), before);
}

TEST(DescriptorsTest, ThereAreSomeAndFewerThanMayBe) {
  EXPECT_GT(OpenDescriptors(), 2u);
  EXPECT_LT(OpenDescriptors(), MaxDescriptors());
}

}  // namespace
}  // namespace segue
