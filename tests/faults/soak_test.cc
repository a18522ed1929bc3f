// Reload after reload: what a server keeps of each.
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/faults/faults_fixture.h"
#include "tests/faults/process_facts.h"

namespace segue::testing {
namespace {

using SoakTest = FaultsFixture;

constexpr int kDefaultMinutes = 30;
// Descriptors and threads beside those at the start: a connection of /metrics
// that is not closed yet, a thread that gRPC has added.
constexpr int kSlack = 4;
// Before what is measured begins: caches, arenas, gRPC's threads.
constexpr int kWarmUpReloads = 3;

int Minutes() {
  const char* wanted = std::getenv("SEGUE_SOAK_MINUTES");
  int minutes = kDefaultMinutes;
  if (wanted != nullptr && !absl::SimpleAtoi(wanted, &minutes)) {
    ADD_FAILURE() << "SEGUE_SOAK_MINUTES is no number: " << wanted;
  }
  return minutes;
}

// Of the least squares line through the second half of `values`, a step; 0 of
// too few for a line.
double Slope(const std::vector<int64_t>& values) {
  const size_t first = values.size() / 2;
  const double n = static_cast<double>(values.size() - first);
  if (n < 2) return 0;
  double x_sum = 0, y_sum = 0, xx_sum = 0, xy_sum = 0;
  for (size_t i = first; i < values.size(); ++i) {
    const double x = static_cast<double>(i - first);
    const double y = static_cast<double>(values[i]);
    x_sum += x;
    y_sum += y;
    xx_sum += x * x;
    xy_sum += x * y;
  }
  return (n * xy_sum - x_sum * y_sum) / (n * xx_sum - x_sum * x_sum);
}

TEST_F(SoakTest, ReloadsLeaveNothingBehind) {
  const int reloads = AtScale(24, Minutes());
  const double seconds_between = AtScale(.05, 60.);
  std::string before = Publish("v0");
  ASSERT_TRUE(StartServer());
  BeginLoad(AtScale(1000., 2000.));
  ProcessFacts begin, end;
  std::vector<int64_t> resident;
  for (int i = 1; i <= reloads; ++i) {
    const std::string next = Publish(absl::StrCat("v", i));
    AwaitAnswerOf(next);
    AwaitSeconds(seconds_between);
    if (HasFatalFailure()) return;
    end = FactsOf(process().pid());
    if (i <= kWarmUpReloads) begin = end;
    resident.push_back(end.resident_kib);
    std::filesystem::remove_all(Workshop() + "/" + before);
    before = next;
  }
  EXPECT_EQ(Reloads("success"), reloads + 1);
  EXPECT_EQ(FailedReloads(), 0);
  const std::vector<Ended> calls = EndGoodLoad();
  EXPECT_LE(end.descriptors, begin.descriptors + kSlack);
  EXPECT_LE(end.threads, begin.threads + kSlack);

  const std::string soak = absl::StrFormat(
      "soak, %d reloads in %.1f minutes", reloads,
      std::chrono::duration<double>(calls.back().began - calls.front().began)
              .count() /
          60);
  LeaveFigure(25, soak + ": failed", FailedOf(calls), "0");
  LeaveFigure(25, soak + ": memory, KiB a reload",
              absl::StrFormat("%+.1f of %d", Slope(resident), end.resident_kib),
              "about 0");
  LeaveFigure(25, soak + ": descriptors, threads",
              absl::StrFormat("%d to %d, %d to %d", begin.descriptors,
                              end.descriptors, begin.threads, end.threads),
              "flat");
}

}  // namespace
}  // namespace segue::testing
