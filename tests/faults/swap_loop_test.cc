// Bundle after bundle goes live while clients call.
#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/faults/faults_fixture.h"

namespace segue::testing {
namespace {

using Clock = std::chrono::steady_clock;
using SwapLoopTest = FaultsFixture;

// As long as a reload takes: calls within and between are about as many.
constexpr double kSecondsBetween = 0.05;
constexpr double kWarmUpSeconds = 0.3;

// From a publication until the first answer of what was published.
struct Window {
  Clock::time_point begin, end;
};

// `calls` by whether they began in one of the windows, which are in order.
void Divide(const std::vector<Ended>& calls, const std::vector<Window>& windows,
            std::vector<Ended>& within, std::vector<Ended>& others) {
  auto window = windows.begin();
  for (const Ended& call : calls) {
    if (call.began < windows.front().begin) continue;  // still warming up
    while (window != windows.end() && window->end < call.began) ++window;
    const bool inside = window != windows.end() && window->begin <= call.began;
    (inside ? within : others).push_back(call);
  }
}

TEST_F(SwapLoopTest, NoCallFailsAndEachIsAnsweredByOneBundle) {
  const int reloads = AtScale(20, 1000);
  const double rate = 2000;
  std::vector<std::string> versions;
  std::map<std::string, std::string> published;  // prefixes
  for (int i = 0; i <= reloads; ++i) {
    const std::string prefix = absl::StrCat("v", i);
    versions.push_back(Prepare(prefix));
    published[versions.back()] = prefix;
  }
  GoLive(versions[0]);
  ASSERT_TRUE(StartServer());
  BeginLoad(rate);
  AwaitSeconds(kWarmUpSeconds);

  std::vector<Window> windows;
  for (int i = 1; i <= reloads; ++i) {
    const Clock::time_point begin = Clock::now();
    GoLive(versions[i]);
    AwaitAnswerOf(versions[i]);
    if (HasFatalFailure()) return;
    windows.push_back({begin, seen().versions().at(versions[i]).first});
    AwaitSeconds(kSecondsBetween);
    // The one before is held in memory.
    if (i > 1) std::filesystem::remove_all(Root() + "/" + versions[i - 2]);
  }
  EXPECT_EQ(Reloads("success"), reloads + 1);
  EXPECT_EQ(FailedReloads(), 0);
  const std::vector<Ended> calls = EndGoodLoad();
  std::map<std::string, std::string> answered;
  for (const auto& [version, one] : seen().versions()) {
    answered[version] = one.prefix;
  }
  EXPECT_EQ(answered, published);

  std::vector<Ended> within, others;
  Divide(calls, windows, within, others);
  const double p99 = QuantileMs(within, .99), steady = QuantileMs(others, .99);
  LeaveFigure(1, absl::StrCat("swap loop, ", reloads, " reloads: failed"),
              FailedOf(calls), "0");
  LeaveFigure(
      2,
      absl::StrFormat("p99 of %d calls in reload windows by that of "
                      "the %d others",
                      within.size(), others.size()),
      absl::StrFormat("%.2f (%.2f ms by %.2f ms)", p99 / steady, p99, steady),
      "<= 1.2");
}

}  // namespace
}  // namespace segue::testing
