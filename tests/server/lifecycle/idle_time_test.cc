#include "server/lifecycle/idle_time.h"

#include <sched.h>

#include <chrono>
#include <thread>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "tests/server/snapshots.h"
#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using segue::testing::FakeSnapshot;
using segue::testing::StatusIs;
using std::chrono::hours;
using std::chrono::milliseconds;
using ::testing::ElementsAre;

const bool kIdle = true, kBeside = false;

class IdleTimeTest : public ::testing::Test {
 protected:
  // A step that remembers where it ran.
  auto Step(const absl::StatusOr<int>& result) {
    return [this, result](Deadline) {
      ran_.push_back(::sched_getscheduler(0) == SCHED_IDLE);
      return result;
    };
  }
  // One that takes as long as it may.
  auto EndlessStep() {
    return [this](Deadline deadline) -> absl::StatusOr<int> {
      ran_.push_back(::sched_getscheduler(0) == SCHED_IDLE);
      if (deadline.when() == Deadline::Infinite().when()) return 7;
      while (!deadline.Expired()) std::this_thread::yield();
      return deadline.Check();
    };
  }

  void SetUp() override {
    std::ignore = holder_.Publish(FakeSnapshot({.items = 1}));
  }

  SnapshotHolder holder_;
  std::vector<bool> ran_;
};

TEST_F(IdleTimeTest, IsWhatStepsTake) {
  IdleTime idle(holder_, "v", hours(1));
  EXPECT_EQ(idle.Run(Step(1)).value(), 1);
  EXPECT_EQ(idle.Run(Step(2)).value(), 2);
  EXPECT_THAT(ran_, ElementsAre(kIdle, kIdle));
}

TEST_F(IdleTimeTest, AStepThatGaveUpBeginsAnewBesideTheRequests) {
  IdleTime idle(holder_, "v", milliseconds(1));
  EXPECT_EQ(idle.Run(EndlessStep()).value(), 7);
  EXPECT_THAT(ran_, ElementsAre(kIdle, kBeside));
  EXPECT_EQ(idle.Run(Step(2)).value(), 2);
  EXPECT_THAT(ran_, ElementsAre(kIdle, kBeside, kBeside));
}

TEST_F(IdleTimeTest, ErrorsAreNotTriedAgain) {
  IdleTime idle(holder_, "v", hours(1));
  EXPECT_THAT(idle.Run(Step(absl::DataLossError("bad"))),
              StatusIs(absl::StatusCode::kDataLoss, "bad"));
  EXPECT_THAT(idle.Run(Step(absl::DeadlineExceededError("of a disk"))),
              StatusIs(absl::StatusCode::kDeadlineExceeded, "of a disk"));
  EXPECT_THAT(ran_, ElementsAre(kIdle, kIdle));
}

TEST_F(IdleTimeTest, WhileNothingServesTheCallerDoesItAll) {
  IdleTime idle(holder_, "v", hours(1));
  std::ignore = holder_.Unload();
  EXPECT_EQ(idle.Run(Step(1)).value(), 1);
  EXPECT_THAT(ran_, ElementsAre(kBeside));
}

}  // namespace
}  // namespace segue
