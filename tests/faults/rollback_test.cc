// Back to the version before, by one command, while clients call.
#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/faults/faults_fixture.h"

namespace segue::testing {
namespace {

using RollbackTest = FaultsFixture;

constexpr int kCallsAfter = 20;

TEST_F(RollbackTest, GoesBackToTheVersionBeforeAndNoCallFails) {
  const int rounds = AtScale(1, 50);
  const std::string before = Publish("before");
  ASSERT_TRUE(StartServer({.settings = {"state_file=" + (folder_ / "state")}}));
  BeginLoad(1000);
  AwaitAnswerOf(before);
  const std::string bad = Publish("bad");
  AwaitAnswerOf(bad);
  const auto all_answer = [this](const std::string& version) {
    for (int i = 0; i < kCallsAfter; ++i) ASSERT_EQ(Answering(), version);
  };

  double slowest_ms = 0;
  for (int i = 0; i < rounds; ++i) {
    all_answer(bad);
    const auto begin = std::chrono::steady_clock::now();
    const Finished back = server().Admin({"rollback"});
    const std::chrono::duration<double, std::milli> took =
        std::chrono::steady_clock::now() - begin;
    slowest_ms = std::max(slowest_ms, took.count());
    ASSERT_EQ(back.code, 0) << back.errors;
    all_answer(before);
    AwaitSeconds(.1);
    // The bad one again, for the next round.
    ASSERT_EQ(server().Admin({"unpin"}).code, 0);
    all_answer(before);
    ASSERT_EQ(server().Admin({"allow", bad}).code, 0);
    if (HasFatalFailure()) return;
  }
  all_answer(bad);
  EXPECT_EQ(FailedReloads(), 0);
  const std::vector<Ended> calls = EndGoodLoad();
  EXPECT_EQ(seen().versions().size(), 2);
  LeaveFigure(12,
              absl::StrCat("rollback under load, ", rounds, " times: failed"),
              FailedOf(calls), "0");
  LeaveFigure(12, "the slowest rollback, the command's own start included",
              absl::StrFormat("%.0f ms", slowest_ms), "one command");
}

}  // namespace
}  // namespace segue::testing
