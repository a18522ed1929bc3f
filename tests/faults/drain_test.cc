// SIGTERM while clients call.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/faults/faults_fixture.h"
#include "tests/server/grpc_client.h"

namespace segue::testing {
namespace {

using Clock = std::chrono::steady_clock;
using ::testing::AnyOf;

int Occurrences(const std::string& text, const std::string& what) {
  int found = 0;
  for (size_t at = text.find(what); at != text.npos;
       at = text.find(what, at + 1)) {
    ++found;
  }
  return found;
}

class DrainTest : public FaultsFixture {
 protected:
  // One life of a server, ended by SIGTERM: milliseconds until it said
  // NOT_SERVING. Adds to `calls`.
  double Drain(std::vector<Ended>& calls) {
    // Each call is logged: what the server took, and how that ended.
    if (!StartServer(
            {.settings = {"drain_delay_ms=500", "log_request_share=1"}})) {
      return 0;
    }
    const auto health = Connect(server().address());
    EXPECT_TRUE(process().WaitUntil(
        [&] { return CheckHealth(health, "") == kServing; }));
    BeginLoad(1000);
    AwaitSeconds(.3);
    const Clock::time_point asked = Clock::now();
    process().Signal(SIGTERM);
    std::string answer;
    do {
      answer = CheckHealth(health, "");
    } while (answer == kServing);
    const Clock::time_point told = Clock::now();
    EXPECT_EQ(answer, kNotServing);
    EXPECT_EQ(process().Wait(), 0) << server().Log();

    const std::vector<Ended> ended = EndLoad();
    int good = 0, good_while_draining = 0;
    for (const Ended& call : ended) {
      if (call.fault.empty()) {
        ++good;
        if (call.began > told) ++good_while_draining;
        continue;
      }
      // gRPC 1.51 cancels what comes after it has stopped and before the client
      // knows.
      EXPECT_THAT(call.code, AnyOf(grpc::UNAVAILABLE, grpc::CANCELLED))
          << call.fault;
      EXPECT_GT(call.began, told) << call.fault;
    }
    EXPECT_GT(good_while_draining, 0);
    // What the server took ended well, and its client knows.
    const std::string log = server().Log();
    EXPECT_EQ(Occurrences(log, "\"message\":\"call finished\""), good);
    EXPECT_EQ(Occurrences(log, "\"code\":\"OK\""), good);
    EXPECT_EQ(Occurrences(log, "\"message\":\"call failed\""), 0);
    calls.insert(calls.end(), ended.begin(), ended.end());
    return std::chrono::duration<double, std::milli>(told - asked).count();
  }
};

TEST_F(DrainTest, CallsInFlightFinishAndHealthTellsFirst) {
  const int rounds = AtScale(1, 20);
  Publish("v");
  std::vector<Ended> calls;
  double slowest_ms = 0;
  for (int i = 0; i < rounds; ++i) {
    slowest_ms = std::max(slowest_ms, Drain(calls));
  }
  LeaveFigure(23, "SIGTERM under load until health is NOT_SERVING",
              absl::StrFormat("%.1f ms", slowest_ms), "<= 100 ms");
  const auto cancelled = std::count_if(
      calls.begin(), calls.end(),
      [](const Ended& call) { return call.code == grpc::CANCELLED; });
  LeaveFigure(23,
              "SIGTERM under load: calls refused as CANCELLED, not UNAVAILABLE",
              absl::StrCat(cancelled, " of ", calls.size()), "0");
}

}  // namespace
}  // namespace segue::testing
