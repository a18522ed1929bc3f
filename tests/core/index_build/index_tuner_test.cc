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
    return [this](const SearchSettings& settings) -> absl::StatusOr<double> {
      calls.push_back(settings);
      return std::min({ceiling_, double(settings.nprobe) / probes_,
                       double(settings.k_factor) / factor_});
    };
  }

  std::vector<SearchSettings> calls;

 private:
  const int probes_, factor_;
  const double ceiling_;
};

v1::IndexConfig Config(double target) {
  v1::IndexConfig config;
  config.set_target_overlap(target);
  return config;
}

TEST(TuneSettingsTest, StopsAtTheCheapestThatReachesTheTarget) {
  FakeIndex index(/*enough_probes=*/48, /*enough_factor=*/10);
  const auto tuned = TuneSettings(Config(0.97), kCells, index.Measure());
  ASSERT_THAT(tuned, IsOk());
  EXPECT_EQ(tuned->settings.nprobe, 48);
  EXPECT_EQ(tuned->settings.k_factor, 10);
  EXPECT_EQ(tuned->overlap, 1);
}

TEST(TuneSettingsTest, AnEasyIndexKeepsTheFirstSettings) {
  FakeIndex index(1, 1);
  const auto tuned = TuneSettings(Config(0.97), kCells, index.Measure());
  ASSERT_THAT(tuned, IsOk());
  EXPECT_EQ(tuned->settings.nprobe, 4);
  EXPECT_EQ(tuned->settings.k_factor, 4);
  EXPECT_EQ(index.calls.size(), 2u);
}

TEST(TuneSettingsTest, OutOfReachKeepsTheCheapestOfTheBest) {
  FakeIndex index(/*enough_probes=*/32, 1, /*ceiling=*/0.9);
  const auto tuned = TuneSettings(Config(0.97), kCells, index.Measure());
  ASSERT_THAT(tuned, IsOk());
  EXPECT_EQ(tuned->overlap, 0.9);
  EXPECT_EQ(tuned->settings.nprobe, 32);
}

TEST(TuneSettingsTest, NprobeNeverExceedsTheCells) {
  FakeIndex index(1000000, 1);
  ASSERT_THAT(
      TuneSettings(Config(0.97), {.items = 1000, .nlist = 10, .refines = true},
                   index.Measure()),
      IsOk());
  EXPECT_EQ(index.calls.back().nprobe, 10);
  EXPECT_THAT(index.calls,
              Each(Field(&SearchSettings::nprobe, ::testing::Le(10))));
}

TEST(TuneSettingsTest, FixedSettingsAreMeasuredAndKept) {
  v1::IndexConfig config = Config(0.97);
  config.set_nprobe(7);
  config.set_k_factor(3);
  FakeIndex index(100, 100);
  const auto tuned = TuneSettings(config, kCells, index.Measure());
  ASSERT_THAT(tuned, IsOk());
  EXPECT_EQ(tuned->settings.nprobe, 7);
  EXPECT_EQ(tuned->settings.k_factor, 3);
  EXPECT_EQ(tuned->overlap, 0.03);
  EXPECT_EQ(index.calls.size(), 1u);
}

TEST(TuneSettingsTest, WhatAnIndexLacksStaysZero) {
  const auto measure = [](const SearchSettings&) -> absl::StatusOr<double> {
    return 0.5;
  };
  const auto graph = TuneSettings(Config(0.97), {.items = 100}, measure);
  ASSERT_THAT(graph, IsOk());
  EXPECT_EQ(graph->settings.nprobe, 0);
  EXPECT_EQ(graph->settings.k_factor, 0);
  EXPECT_EQ(graph->overlap, 0.5);
}

TEST(TuneSettingsTest, AFailedMeasurementIsHandedOn) {
  EXPECT_THAT(TuneSettings(Config(0.97), kCells,
                           [](const SearchSettings&) -> absl::StatusOr<double> {
                             return absl::DataLossError("gone");
                           }),
              StatusIs(absl::StatusCode::kDataLoss, _));
}

}  // namespace
}  // namespace segue
