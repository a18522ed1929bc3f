#include "core/index_build/index_tuner.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using ::testing::_;
using ::testing::ElementsAre;
using testing::IsOk;
using testing::StatusIs;

constexpr IndexShape kCells = {.items = 100000, .nlist = 256, .refines = true};

// An index whose overlap grows with both settings, and the efforts that it was
// asked for.
class FakeIndex {
 public:
  // Overlap is the least of what nprobe and k_factor each allow.
  FakeIndex(int enough_probes, int enough_factor, double ceiling = 1)
      : probes_(enough_probes), factor_(enough_factor), ceiling_(ceiling) {}

  MeasureOverlap Measure() {
    return
        [this](int32_t,
               const SearchEffort& effort) -> absl::StatusOr<MeasuredOverlap> {
          calls.push_back(effort);
          return MeasuredOverlap{
              .overlap = std::min({ceiling_, double(effort.nprobe) / probes_,
                                   double(effort.k_factor) / factor_})};
        };
  }

  std::vector<SearchEffort> calls;

 private:
  const int probes_, factor_;
  const double ceiling_;
};

EffortTable Fronts(const v1::IndexConfig& config, const IndexShape& shape,
                   const MeasureOverlap& measure) {
  const auto front = MeasureFront(config, shape, 100, measure);
  EXPECT_THAT(front, IsOk());
  return EffortTable::FrontsOf({front.value_or(EffortTable::Front{})});
}

TEST(MeasureFrontTest, HoldsTheCheapestEffortForEachTarget) {
  FakeIndex index(/*enough_probes=*/48, /*enough_factor=*/8);
  const EffortTable table = Fronts({}, kCells, index.Measure());
  EXPECT_EQ(table.Reach(100, 1).effort, (SearchEffort{48, 8}));
  EXPECT_EQ(table.Reach(100, .5).effort, (SearchEffort{24, 4}));
  EXPECT_EQ(table.Reach(100, .25).effort, (SearchEffort{12, 2}));
}

TEST(MeasureFrontTest, StopsWhereNothingMoreIsFound) {
  FakeIndex index(/*enough_probes=*/16, /*enough_factor=*/4, /*ceiling=*/.9);
  Fronts({}, kCells, index.Measure());
  EXPECT_EQ(index.calls.back().nprobe, 24);
  for (const SearchEffort& effort : index.calls) EXPECT_LE(effort.k_factor, 8);
}

TEST(MeasureFrontTest, NprobeNeverExceedsTheCells) {
  FakeIndex index(/*enough_probes=*/100, /*enough_factor=*/1);
  Fronts({}, {.items = 1000, .nlist = 10, .refines = true}, index.Measure());
  int32_t most = 0;
  for (const SearchEffort& one : index.calls) most = std::max(most, one.nprobe);
  EXPECT_EQ(most, 10);
}

TEST(MeasureFrontTest, FixedSettingsAreTheOnlyOnes) {
  v1::IndexConfig config;
  config.set_nprobe(7);
  config.set_k_factor(3);
  FakeIndex index(100, 100);
  const EffortTable table = Fronts(config, kCells, index.Measure());
  EXPECT_THAT(index.calls, ElementsAre(SearchEffort{7, 3}));
  EXPECT_EQ(table.Reach(100, .97).overlap, .03);
}

TEST(MeasureFrontTest, WhatAnIndexLacksStaysZero) {
  const EffortTable graph = Fronts(
      {}, {.items = 100},
      [](int32_t, const SearchEffort&) -> absl::StatusOr<MeasuredOverlap> {
        return MeasuredOverlap{.overlap = .5};
      });
  EXPECT_EQ(graph.Reach(100, .97).effort, SearchEffort());
  EXPECT_EQ(graph.Reach(100, .97).overlap, .5);
}

TEST(MeasureFrontTest, SearchesThatScoredEverythingAreNoPoints) {
  // Below 12 cells there are fewer than k candidates, and the answer is whole.
  const auto measure =
      [](int32_t,
         const SearchEffort& effort) -> absl::StatusOr<MeasuredOverlap> {
    if (effort.nprobe < 12) return MeasuredOverlap{.overlap = 1, .exact = .5};
    return MeasuredOverlap{.overlap = std::min(.97, effort.nprobe / 50.0)};
  };
  const EffortTable table = Fronts({}, kCells, measure);
  EXPECT_EQ(table.Reach(100, 0).effort.nprobe, 12);
  EXPECT_EQ(table.Reach(100, .95).effort.nprobe, 48);
}

TEST(MeasureFrontTest, WhereAllSearchesScoreEverythingTheHardestIsKept) {
  const EffortTable table = Fronts(
      {}, {.items = 100, .nlist = 4, .refines = true},
      [](int32_t, const SearchEffort&) -> absl::StatusOr<MeasuredOverlap> {
        return MeasuredOverlap{.overlap = 1, .exact = 1};
      });
  EXPECT_EQ(table.Reach(100, .97).effort.nprobe, 4);
}

TEST(MeasureFrontTest, AFailedMeasurementIsHandedOn) {
  EXPECT_THAT(
      MeasureFront(
          {}, kCells, 100,
          [](int32_t, const SearchEffort&) -> absl::StatusOr<MeasuredOverlap> {
            return absl::DataLossError("gone");
          }),
      StatusIs(absl::StatusCode::kDataLoss, _));
}

TEST(TunedKsTest, AreShallowConfiguredAndDeepAsFarAsThereAreItems) {
  v1::IndexConfig config;
  EXPECT_THAT(TunedKs(config, 5000), ElementsAre(10, 100, 1000));
  EXPECT_THAT(TunedKs(config, 500), ElementsAre(10, 100, 500));
  config.set_at_k(10);
  EXPECT_THAT(TunedKs(config, 5000), ElementsAre(10, 1000));
}

}  // namespace
}  // namespace segue
