// What a swap costs in memory while both bundles are there.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/faults/faults_fixture.h"
#include "tests/faults/process_facts.h"

namespace segue::testing {
namespace {

class SwapMemoryTest : public FaultsFixture {
 protected:
  // Big enough to show beside a process's own memory.
  static int ManyItems() {
    return kSanitized ? 20000 : AtScale(200000, 2000000);
  }

  // In place of all that was published.
  [[nodiscard]] bool ServeAlone(const std::string& version) {
    std::filesystem::remove_all(Root());
    GoLive(version);
    return StartServer();
  }
  int64_t ResidentKib() { return FactsOf(process().pid()).resident_kib; }
};

TEST_F(SwapMemoryTest, ThePeakIsLittleMoreThanBothBundles) {
  const std::string tiny = Prepare("tiny");
  const std::string before = Prepare("before", ManyItems());
  const std::string after = Prepare("after", ManyItems());
  ASSERT_TRUE(ServeAlone(tiny));
  const int64_t empty = ResidentKib();
  ASSERT_TRUE(ServeAlone(after));
  const int64_t after_alone = ResidentKib() - empty;
  ASSERT_TRUE(ServeAlone(before));
  const int64_t before_alone = ResidentKib() - empty;

  ForgetPeak(process().pid());
  GoLive(after);
  ASSERT_TRUE(process().WaitUntil([&] { return Answering() == after; }));
  const int64_t peak = FactsOf(process().pid()).peak_kib - empty;
  EXPECT_GT(before_alone, 0);
  EXPECT_GT(after_alone, 0);
  LeaveFigure(
      13,
      absl::StrCat("peak memory in a swap of ", ManyItems(),
                   " items by old + new (MiB beyond a server of ", kItems,
                   " items)"),
      absl::StrFormat("%.3f (%d by %d + %d)",
                      static_cast<double>(peak) /
                          static_cast<double>(before_alone + after_alone),
                      peak >> 10, before_alone >> 10, after_alone >> 10),
      "<= 1.1");
}

TEST_F(SwapMemoryTest, WhatDoesNotFitIsRefusedAndTheOldOneServes) {
  const std::string tiny = Prepare("tiny");
  const std::string big = Prepare("big", ManyItems());
  ASSERT_TRUE(ServeAlone(tiny));
  // Room for the estimate of the tiny one, which is some 16 MiB.
  const int64_t limit = (ResidentKib() << 10) + (20 << 20);
  std::filesystem::remove_all(Root());
  GoLive(tiny);
  ASSERT_TRUE(
      StartServer({.settings = {absl::StrCat("max_memory_bytes=", limit)}}));
  BeginLoad(200);
  AwaitAnswerOf(tiny);
  GoLive(big);
  AwaitReloads("over_memory", 3);
  EXPECT_EQ(Answering(), tiny);
  const std::vector<Ended> calls = EndGoodLoad();
  EXPECT_FALSE(seen().Has(big));
  LeaveFigure(13, "a bundle over max_memory_bytes is refused: failed",
              FailedOf(calls), "0");
}

}  // namespace
}  // namespace segue::testing
