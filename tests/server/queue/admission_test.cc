#include "server/queue/admission.h"

#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using segue::testing::IsOk;
using segue::testing::StatusIs;
using std::chrono::milliseconds;
using ::testing::_;
using ::testing::AllOf;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;

constexpr auto kExhausted = absl::StatusCode::kResourceExhausted;

// Two workers, up to 100 waiting, at a time that tests choose.
class AdmissionTest : public ::testing::Test {
 protected:
  Deadline In(milliseconds wait) const { return Deadline::At(now_ + wait); }
  absl::Status Admit(int queued, Deadline deadline = Deadline::Infinite()) {
    const auto refusal = admission_.Admit(queued, deadline, now_);
    return refusal.has_value() ? ToStatus(*refusal) : absl::OkStatus();
  }
  // 20 ms a query by one worker, 10 ms by both.
  void Learn() { admission_.Learn(/*queries=*/1, milliseconds(20)); }

  Admission admission_{100, 2};
  Admission::Clock::time_point now_ =
      Admission::Clock::time_point() + std::chrono::hours(1);
};

TEST_F(AdmissionTest, AFullQueueRefuses) {
  EXPECT_THAT(Admit(99), IsOk());
  const absl::Status status = Admit(100);
  EXPECT_THAT(status, StatusIs(kExhausted, HasSubstr("100 requests wait")));
  EXPECT_EQ(WhyShed(status), Shed::kQueueFull);
  EXPECT_TRUE(RetryAfter(status).has_value());
}

TEST_F(AdmissionTest, WhatWouldMissItsDeadlineIsRefused) {
  Learn();
  // What the workers have begun takes up to 20 ms more, ten wait for 100, and
  // it takes 20 itself.
  EXPECT_THAT(Admit(10, In(milliseconds(141))), IsOk());
  const absl::Status status = Admit(10, In(milliseconds(139)));
  EXPECT_THAT(status, StatusIs(kExhausted, HasSubstr("the deadline would")));
  EXPECT_EQ(WhyShed(status), Shed::kDeadline);
}

TEST_F(AdmissionTest, QueriesOfAGroupAreAnsweredTogether) {
  // 20 ms a query, and 80 until any of them is answered.
  admission_.Learn(/*queries=*/4, milliseconds(80));
  EXPECT_THAT(Admit(10, In(milliseconds(261))), IsOk());
  EXPECT_THAT(Admit(10, In(milliseconds(259))), StatusIs(kExhausted, _));
}

TEST_F(AdmissionTest, WithoutExperienceNothingIsRefusedForItsDeadline) {
  EXPECT_THAT(Admit(99, In(milliseconds(1))), IsOk());
}

// Or one slow moment would be the last that is ever learnt of.
TEST_F(AdmissionTest, WhereNoneWaitsAnyDeadlineIsTaken) {
  Learn();
  EXPECT_THAT(Admit(0, In(milliseconds(1))), IsOk());
}

TEST_F(AdmissionTest, AnExpiredRequestIsTakenToBeTold) {
  Learn();
  EXPECT_THAT(Admit(10, In(milliseconds(-1))), IsOk());
  EXPECT_THAT(Admit(10, Deadline::At(Deadline::Clock::time_point::min())),
              IsOk());
}

TEST_F(AdmissionTest, FollowsWhatQueriesTake) {
  Learn();
  EXPECT_THAT(Admit(10, In(milliseconds(60))), StatusIs(kExhausted, _));
  for (int i = 0; i < 50; ++i) admission_.Learn(1, milliseconds(2));
  EXPECT_THAT(Admit(10, In(milliseconds(60))), IsOk());
}

TEST_F(AdmissionTest, OneSlowGroupIsNotBelievedAtOnce) {
  for (int i = 0; i < 50; ++i) admission_.Learn(1, milliseconds(2));
  admission_.Learn(1, milliseconds(40));
  // 5.8 ms a query: as long for what has begun, 29 for ten by two workers, and
  // its own.
  EXPECT_THAT(Admit(10, In(milliseconds(41))), IsOk());
}

TEST_F(AdmissionTest, ToComeAgainIsWhenTheQueueIsWorkedOffAndNotTogether) {
  Learn();
  std::set<milliseconds> told;
  for (int i = 0; i < 50; ++i) {
    const auto after = RetryAfter(Admit(100));
    ASSERT_TRUE(after.has_value());
    EXPECT_THAT(*after, AllOf(Ge(milliseconds(1000)), Le(milliseconds(2000))));
    told.insert(*after);
  }
  EXPECT_GT(told.size(), 25U);
}

TEST_F(AdmissionTest, RetryAfterHasBounds) {
  EXPECT_EQ(RetryAfter(Admit(100)), milliseconds(1));
  admission_.Learn(1, std::chrono::hours(1));
  EXPECT_EQ(RetryAfter(Admit(100)), milliseconds(10000));
}

TEST_F(AdmissionTest, OtherStatusesSayNothing) {
  EXPECT_EQ(RetryAfter(absl::OkStatus()), std::nullopt);
  EXPECT_EQ(RetryAfter(absl::ResourceExhaustedError("full")), std::nullopt);
}

TEST_F(AdmissionTest, HalfAFullQueueIsPressedForAWhile) {
  EXPECT_THAT(Admit(50), IsOk());
  EXPECT_FALSE(admission_.Pressed(now_));
  EXPECT_THAT(Admit(51), IsOk());
  EXPECT_TRUE(admission_.Pressed(now_));
  EXPECT_TRUE(admission_.Pressed(now_ + milliseconds(99)));
  EXPECT_FALSE(admission_.Pressed(now_ + Admission::kPressedFor));
}

TEST_F(AdmissionTest, WaitingForHalfOfTheTimeLeftIsPressed) {
  Learn();
  EXPECT_THAT(Admit(10, In(milliseconds(300))), IsOk());
  EXPECT_FALSE(admission_.Pressed(now_));
  EXPECT_THAT(Admit(10, In(milliseconds(200))), IsOk());
  EXPECT_TRUE(admission_.Pressed(now_));
}

TEST_F(AdmissionTest, RefusingIsPressed) {
  Learn();
  EXPECT_THAT(Admit(10, In(milliseconds(1))), StatusIs(kExhausted, _));
  EXPECT_TRUE(admission_.Pressed(now_));
}

}  // namespace
}  // namespace segue
