#include "core/base/deadline.h"

#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using std::chrono::milliseconds;
using testing::IsOk;
using testing::StatusIs;

TEST(DeadlineTest, ExpiresAtItsTimeAndNotBefore) {
  const Deadline::Clock::time_point now = Deadline::Clock::now();
  const Deadline deadline = Deadline::At(now);
  EXPECT_FALSE(deadline.Expired(now - milliseconds(1)));
  EXPECT_TRUE(deadline.Expired(now));
}

TEST(DeadlineTest, InfiniteNeverExpires) {
  EXPECT_FALSE(Deadline::Infinite().Expired());
}

TEST(DeadlineTest, APastWaitHasExpired) {
  EXPECT_TRUE(Deadline::After(milliseconds(-1)).Expired());
}

TEST(DeadlineTest, CheckIsAnErrorOnceItHasPassed) {
  EXPECT_THAT(Deadline::Infinite().Check(), IsOk());
  EXPECT_THAT(Deadline::After(milliseconds(-1)).Check(),
              StatusIs(absl::StatusCode::kDeadlineExceeded, ::testing::_));
}

}  // namespace
}  // namespace segue
