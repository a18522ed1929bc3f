#include "server/lifecycle/poll_thread.h"

#include <atomic>
#include <semaphore>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using segue::testing::IsOk;
using segue::testing::StatusIs;
using ::testing::HasSubstr;

constexpr std::chrono::hours kNever{24};

TEST(PollThreadTest, WithoutStartTheCallerDoesTheTask) {
  PollThread thread([] {}, kNever);
  std::thread::id by;
  EXPECT_THAT(thread.Do(
                  [&] {
                    by = std::this_thread::get_id();
                    return true;
                  },
                  kNever),
              IsOk());
  EXPECT_EQ(by, std::this_thread::get_id());
}

TEST(PollThreadTest, PollsAndTasksAreOnItsOwnThread) {
  std::thread::id polled_by, done_by;
  std::binary_semaphore polled(0);
  PollThread thread(
      [&] {
        polled_by = std::this_thread::get_id();
        polled.release();
      },
      kNever);
  thread.Start();
  polled.acquire();
  EXPECT_THAT(thread.Do(
                  [&] {
                    done_by = std::this_thread::get_id();
                    return true;
                  },
                  kNever),
              IsOk());
  EXPECT_NE(done_by, std::this_thread::get_id());
  EXPECT_EQ(done_by, polled_by);
}

TEST(PollThreadTest, ATaskIsDoneAgainUntilItIsDone) {
  PollThread thread([] {}, kNever);
  thread.Start();
  int tries = 0;
  EXPECT_THAT(thread.Do([&] { return ++tries == 3; }, kNever), IsOk());
  EXPECT_EQ(tries, 3);
}

TEST(PollThreadTest, AnErrorIsSaid) {
  PollThread thread([] {}, kNever);
  thread.Start();
  EXPECT_THAT(thread.Do([] { return absl::DataLossError("bad"); }, kNever),
              StatusIs(absl::StatusCode::kDataLoss, "bad"));
}

// On the caller's thread: on its own the task might not have begun by then.
TEST(PollThreadTest, ATaskThatIsNeverDoneHasATimeout) {
  PollThread thread([] {}, kNever);
  EXPECT_THAT(thread.Do([] { return false; }, std::chrono::milliseconds(0)),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("still use")));
}

TEST(PollThreadTest, StopEndsATaskThatIsNotDoneYet) {
  PollThread thread([] {}, kNever);
  thread.Start();
  std::atomic<int> tries = 0;
  absl::Status status;
  std::thread asks([&] {
    status = thread.Do(
        [&] {
          ++tries;
          return false;
        },
        kNever);
  });
  while (tries == 0) std::this_thread::yield();
  thread.Stop();
  asks.join();
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("stopping")));
  EXPECT_THAT(thread.Do([] { return true; }, kNever),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("stopping")));
}

TEST(PollThreadTest, ATaskThatCannotBeginInTimeIsNeverDone) {
  std::counting_semaphore<8> polls(0), may_end(0);
  bool done = false;
  {
    PollThread thread(
        [&] {
          polls.release();
          may_end.acquire();
        },
        kNever);
    thread.Start();
    polls.acquire();
    EXPECT_THAT(thread.Do(
                    [&] {
                      done = true;
                      return true;
                    },
                    std::chrono::milliseconds(1)),
                StatusIs(absl::StatusCode::kUnavailable,
                         HasSubstr("still being loaded")));
    may_end.release(2);
    // The next is.
    EXPECT_THAT(thread.Do([] { return true; }, kNever), IsOk());
  }
  EXPECT_FALSE(done);
}

}  // namespace
}  // namespace segue
