// A version that fails again and again, and then is good.
#include <chrono>
#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/faults/faults_fixture.h"

namespace segue::testing {
namespace {

constexpr int kPollMs = 10;
constexpr int kFailures = 20;

class LateVersionTest : public FaultsFixture {
 protected:
  // CURRENT names a version that `place` leaves bad: it is tried again until
  // `mend` has made it good.
  void ExpectItGoesLive(const std::string& what, const std::string& outcome,
                        const std::function<void(const std::string&)>& place,
                        const std::function<void(const std::string&)>& mend) {
    Publish("before");
    const std::string late = Prepare("late");
    ASSERT_TRUE(StartServer(
        {.settings = {absl::StrCat("poll_interval_ms=", kPollMs)}}));
    BeginLoad(500);
    place(late);
    PointAt(late);
    AwaitReloads(outcome, kFailures);
    EXPECT_FALSE(seen().Has(late));
    const auto mended = std::chrono::steady_clock::now();
    mend(late);
    AwaitAnswerOf(late);
    if (HasFatalFailure()) return;
    const std::chrono::duration<double, std::milli> took =
        seen().versions().at(late).first - mended;
    const std::vector<Ended> calls = EndGoodLoad();
    LeaveFigure(11,
                absl::StrCat(what, " ", kFailures, " times, then good: failed"),
                FailedOf(calls), "0");
    LeaveFigure(11, absl::StrCat(what, ", then good: polls until it is live"),
                absl::StrFormat("%.1f", took.count() / kPollMs), "loads");
  }
};

TEST_F(LateVersionTest, MissingTwentyTimesItLoadsOnceItIsThere) {
  ExpectItGoesLive(
      "missing", "missing", [](const std::string&) {},
      [&](const std::string& version) { Place(version); });
}

// Read ever more rarely, up to each 16th poll.
TEST_F(LateVersionTest, DamagedTwentyTimesItLoadsOnceItIsMended) {
  ExpectItGoesLive(
      "damaged", "corrupt",
      [&](const std::string& version) {
        Place(version);
        Damage(version);
      },
      [&](const std::string& version) { Mend(version); });
}

}  // namespace
}  // namespace segue::testing
