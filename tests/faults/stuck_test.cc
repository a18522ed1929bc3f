// Tests 9 and 14: a warm-up that hangs, and a request that is stuck while its
// bundle is replaced.
#include <chrono>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/bundle/version_use.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/faults/injection.h"
#include "tests/faults/pending_call.h"
#include "tests/testing/scale.h"
#include "tests/testing/status_matchers.h"

namespace segue::testing {
namespace {

using StepResult = BundleManager::StepResult;
using Clock = std::chrono::steady_clock;

double MsSince(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin)
      .count();
}

// `let_through`: 0, and loading's trial of the tower hangs; 1, and the first
// request of the warm-up does.
class HangingLoadTest : public ::testing::TestWithParam<int> {};

TEST_P(HangingLoadTest, TheOldOneServesMeanwhileAndTheNewOneAfterwards) {
  RunningServer server;
  const std::string old_version = server.Serve({.prefix = "old"});
  const std::string version = server.Publish(WithInjection({.prefix = "new"}));
  HeldPasses hang(GetParam());
  StepResult result = StepResult::kUnchanged;
  std::thread step([&] { result = server.server().manager().Step(); });
  EXPECT_TRUE(hang.Await(1));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(AnsweringVersion(server), old_version);
  hang.Release();
  step.join();
  EXPECT_EQ(result, StepResult::kPublished);
  EXPECT_EQ(AnsweringVersion(server), version);
}

INSTANTIATE_TEST_SUITE_P(Table, HangingLoadTest, ::testing::Values(0, 1),
                         [](const auto& info) {
                           return info.param == 0 ? "Loading" : "WarmUp";
                         });

TEST(StuckRequestTest, DuringASwapTheNewOneServesAndTheOldOneIsFreedAfter) {
  // Copies of live queries would hold the old version too.
  RunningServer server("hold_previous: false live_overlap_share: 0");
  BundleManager& manager = server.server().manager();
  const std::string root = manager.bundle_root();
  const std::string old_version =
      server.Serve(WithInjection({.prefix = "old"}));
  HeldPasses stuck_passes;
  const PendingCall stuck(server, "top_k: 3", std::chrono::minutes(5));
  ASSERT_TRUE(stuck_passes.Await(1));

  const std::string second = server.Publish({.prefix = "second"});
  ASSERT_EQ(manager.Step(), StepResult::kPublished);
  const auto swapped = Clock::now();
  EXPECT_EQ(AnsweringVersion(server), second);
  const double first_answer_ms = MsSince(swapped);
  const auto until =
      swapped + AtScale(std::chrono::seconds(0), std::chrono::seconds(60));
  int answered = 1;
  for (; answered < 20 || Clock::now() < until; ++answered) {
    ASSERT_EQ(AnsweringVersion(server), second);
  }
  // What is stuck is kept, and no third version is loaded beside both.
  EXPECT_FALSE(stuck.has_ended());
  EXPECT_FALSE(ClaimVersion(absl::StrCat(root, "/", old_version)).ok());
  const std::string third = server.Publish({.prefix = "third"});
  EXPECT_EQ(manager.Step(), StepResult::kBusy);

  stuck_passes.Release();
  const auto released = Clock::now();
  EXPECT_TRUE(stuck.Wait().ok()) << stuck.Wait().error_message();
  EXPECT_EQ(stuck.response().bundle_version(), old_version);
  EXPECT_EQ(stuck.response().item_ids_size(), 3);
  server.GoLive();
  const double freed_ms = MsSince(released);
  // Nothing in this process has it in memory any more.
  EXPECT_THAT(ClaimVersion(absl::StrCat(root, "/", old_version)), IsOk());
  EXPECT_EQ(AnsweringVersion(server), third);
  LeaveFigure(14,
              absl::StrFormat("a request stuck for %.1f s in a swap: others "
                              "answered by the new version after",
                              MsSince(swapped) / 1000),
              absl::StrFormat("%.1f ms, %d calls, none by the old one",
                              first_answer_ms, answered),
              "at once");
  LeaveFigure(14, "the old one freed, the third version live after its end by",
              absl::StrFormat("%.0f ms", freed_ms), "freed");
}

}  // namespace
}  // namespace segue::testing
