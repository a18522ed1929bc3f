#include "core/index_build/index_tuner.h"

#include <algorithm>
#include <vector>

#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using ::testing::_;
using ::testing::Each;
using ::testing::Field;
using testing::IsOk;
using testing::StatusIs;

constexpr TunableIndex kCells = {
    .items = 100000, .nlist = 256, .refines = true};

// An index whose overlap grows with both settings, and the calls it got.
class FakeIndex {
 public:
  // Overlap is the lesser of what nprobe and k_factor each allow.
  FakeIndex(int enough_probes, int enough_factor, double ceiling = 1)
      : probes_(enough_probes), factor_(enough_factor), ceiling_(ceiling) {}

  MeasureOverlap Measure() {
    return [this](const SearchEffort& effort) -> absl::StatusOr<double> {
      calls.push_back(effort);
      return std::min({ceiling_, double(effort.nprobe) / probes_,
                       double(effort.k_factor) / factor_});
    };
  }

  std::vector<SearchEffort> calls;

 private:
  const int probes_, factor_;
  const double ceiling_;
};

v1::IndexConfig Config(double target) {
  v1::IndexConfig config;
  config.set_target_overlap(target);
  return config;
}

TEST(TuneEffortTest, StopsAtTheCheapestThatReachesTheTarget) {
  FakeIndex index(/*enough_probes=*/48, /*enough_factor=*/10);
  const auto tuned = TuneEffort(Config(0.97), kCells, index.Measure());
  ASSERT_THAT(tuned, IsOk());
  EXPECT_EQ(tuned->effort.nprobe, 48);
  EXPECT_EQ(tuned->effort.k_factor, 10);
  EXPECT_EQ(tuned->overlap, 1);
}

TEST(TuneEffortTest, AnEasyIndexKeepsTheFirstSettings) {
  FakeIndex index(1, 1);
  const auto tuned = TuneEffort(Config(0.97), kCells, index.Measure());
  ASSERT_THAT(tuned, IsOk());
  EXPECT_EQ(tuned->effort.nprobe, 4);
  EXPECT_EQ(tuned->effort.k_factor, 4);
  EXPECT_EQ(index.calls.size(), 2u);
}

TEST(TuneEffortTest, OutOfReachKeepsTheCheapestOfTheBest) {
  FakeIndex index(/*enough_probes=*/32, 1, /*ceiling=*/0.9);
  const auto tuned = TuneEffort(Config(0.97), kCells, index.Measure());
  ASSERT_THAT(tuned, IsOk());
  EXPECT_EQ(tuned->overlap, 0.9);
  EXPECT_EQ(tuned->effort.nprobe, 32);
}

TEST(TuneEffortTest, NprobeNeverExceedsTheCells) {
  FakeIndex index(1000000, 1);
  ASSERT_THAT(
      TuneEffort(Config(0.97), {.items = 1000, .nlist = 10, .refines = true},
                 index.Measure()),
      IsOk());
  EXPECT_EQ(index.calls.back().nprobe, 10);
  EXPECT_THAT(index.calls,
              Each(Field(&SearchEffort::nprobe, ::testing::Le(10))));
}

TEST(TuneEffortTest, FixedSettingsAreMeasuredAndKept) {
  v1::IndexConfig config = Config(0.97);
  config.set_nprobe(7);
  config.set_k_factor(3);
  FakeIndex index(100, 100);
  const auto tuned = TuneEffort(config, kCells, index.Measure());
  ASSERT_THAT(tuned, IsOk());
  EXPECT_EQ(tuned->effort.nprobe, 7);
  EXPECT_EQ(tuned->effort.k_factor, 3);
  EXPECT_EQ(tuned->overlap, 0.03);
  EXPECT_EQ(index.calls.size(), 1u);
}

TEST(TuneEffortTest, WhatAnIndexLacksStaysZero) {
  const auto measure = [](const SearchEffort&) -> absl::StatusOr<double> {
    return 0.5;
  };
  const auto graph = TuneEffort(Config(0.97), {.items = 100}, measure);
  ASSERT_THAT(graph, IsOk());
  EXPECT_EQ(graph->effort.nprobe, 0);
  EXPECT_EQ(graph->effort.k_factor, 0);
  EXPECT_EQ(graph->overlap, 0.5);
}

TEST(TuneEffortTest, AFailedMeasurementIsHandedOn) {
  EXPECT_THAT(TuneEffort(Config(0.97), kCells,
                         [](const SearchEffort&) -> absl::StatusOr<double> {
                           return absl::DataLossError("gone");
                         }),
              StatusIs(absl::StatusCode::kDataLoss, _));
}

}  // namespace
}  // namespace segue
