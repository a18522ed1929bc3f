#include "server/quality/effort_control.h"

#include "gtest/gtest.h"

namespace segue {
namespace {

using Decision = EffortControl::Decision;

// A table whose points are .01 apart.
LiveSample Sample(double overlap, double expected = .95) {
  return {.overlap = overlap,
          .expected = expected,
          .expected_lower = expected - .01,
          .expected_higher = expected + .01};
}

// The decision after one window of the same samples; before it there is none.
Decision Window(EffortControl& control, const LiveSample& sample) {
  for (int i = 1; i < EffortControl::kWindow; ++i) {
    EXPECT_EQ(control.Observe(sample), Decision::kNone);
  }
  return control.Observe(sample);
}

TEST(EffortControlTest, WithoutAnObjectiveNothingIsRaised) {
  EffortControl control(0);
  EXPECT_EQ(Window(control, Sample(.1)), Decision::kNone);
  EXPECT_EQ(control.raised(), 0);
}

TEST(EffortControlTest, AMissedObjectiveRaisesPointByPoint) {
  EffortControl control(.95);
  EXPECT_EQ(Window(control, Sample(.90)), Decision::kRaised);
  EXPECT_EQ(Window(control, Sample(.94)), Decision::kRaised);
  EXPECT_EQ(control.raised(), 2);
  EXPECT_NEAR(control.mean(), .94, 1e-9);
  EXPECT_EQ(Window(control, Sample(.955)), Decision::kNone);
  EXPECT_EQ(control.raised(), 2);
}

TEST(EffortControlTest, TheMeanOfAWindowDecides) {
  EffortControl control(.95);
  for (int i = 1; i < EffortControl::kWindow; ++i) {
    control.Observe(Sample(i % 2 == 0 ? 1 : .91));
  }
  EXPECT_EQ(control.Observe(Sample(1)), Decision::kNone);
  EXPECT_EQ(control.raised(), 0);
}

TEST(EffortControlTest, APointIsGivenUpWhereTheObjectiveWouldStillBeMet) {
  EffortControl control(.95);
  Window(control, Sample(.90));
  // .01 would be lost.
  EXPECT_EQ(Window(control, Sample(.955)), Decision::kNone);
  EXPECT_EQ(Window(control, Sample(.97)), Decision::kLowered);
  EXPECT_EQ(control.raised(), 0);
  EXPECT_EQ(Window(control, Sample(1)), Decision::kNone);
  EXPECT_EQ(control.raised(), 0);
}

TEST(EffortControlTest, APointGivenUpTooEarlyIsKeptForLonger) {
  EffortControl control(.95);
  int windows = 0, before = 0;
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(Window(control, Sample(.94)), Decision::kRaised);
    windows = 1;
    while (Window(control, Sample(.97)) == Decision::kNone) ++windows;
    EXPECT_GE(windows, 2 * before);
    before = windows;
  }
  EXPECT_EQ(windows, 4);
}

TEST(EffortControlTest, WhereThereIsNoHarderPointItSaysSo) {
  EffortControl control(.95);
  LiveSample last = Sample(.9);
  last.expected_higher = last.expected;
  EXPECT_EQ(Window(control, last), Decision::kAtMost);
  EXPECT_EQ(control.raised(), 0);
}

TEST(EffortControlTest, AnotherBundleBeginsAtItsOwnTarget) {
  EffortControl control(.95);
  Window(control, Sample(.9));
  control.Observe(Sample(.1));
  control.Reset();
  EXPECT_EQ(control.raised(), 0);
  EXPECT_EQ(Window(control, Sample(.96)), Decision::kNone);
}

}  // namespace
}  // namespace segue
