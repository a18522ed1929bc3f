#include "core/index/effort_table.h"

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

// At k = 10 and k = 100; the second effort of 100 is on no front.
EffortTable Table() {
  return EffortTable::FrontsOf(
      {{.k = 100,
        .points = {{{8, 4}, .9, 300}, {{8, 2}, .8, 350}, {{4, 4}, .7, 200}}},
       {.k = 10, .points = {{{4, 4}, .95, 100}, {{8, 4}, .99, 250}}}});
}

auto Costs(const EffortTable::Front& front) {
  std::vector<double> costs;
  for (const EffortPoint& point : front.points) costs.push_back(point.cost);
  return costs;
}

TEST(EffortTableTest, KeepsWhatCostsMoreAndFindsMore) {
  const EffortTable table = Table();
  ASSERT_EQ(table.fronts().size(), 2u);
  EXPECT_EQ(table.fronts()[0].k, 10);
  EXPECT_THAT(Costs(table.fronts()[1]), ElementsAre(200, 300));
}

TEST(EffortTableTest, OfTheSameCostTheBetterOneIsKept) {
  const EffortTable table = EffortTable::FrontsOf(
      {{.k = 5, .points = {{{1, 1}, .5, 7}, {{1, 2}, .6, 7}}}});
  ASSERT_EQ(table.fronts()[0].points.size(), 1u);
  EXPECT_EQ(table.Reach(5, 0).overlap, .6);
}

TEST(EffortTableTest, BetweenTwoKTheEffortIsInterpolated) {
  const EffortTable table =
      EffortTable::FrontsOf({{.k = 10, .points = {{{4, 2}, .96, 100}}},
                             {.k = 1000, .points = {{{64, 8}, .95, 6400}}}});
  EXPECT_EQ(table.Reach(1, .9).effort, (SearchEffort{4, 2}));
  EXPECT_EQ(table.Reach(10, .9).effort, (SearchEffort{4, 2}));
  EXPECT_EQ(table.Reach(100, .9).effort, (SearchEffort{16, 4}));
  EXPECT_EQ(table.Reach(100, .9).overlap, .95);
  EXPECT_NEAR(table.Reach(100, .9).cost, 800, 1e-6);
  EXPECT_EQ(table.Reach(1000, .9).effort, (SearchEffort{64, 8}));
  EXPECT_EQ(table.Reach(4000, .9).effort, (SearchEffort{128, 8}));
  EXPECT_EQ(table.Reach(4000, .9).overlap, 0);
}

TEST(EffortTableTest, WhatAnIndexLacksStaysZeroBetweenTwoK) {
  const EffortTable table =
      EffortTable::FrontsOf({{.k = 10, .points = {{{4, 0}, .9, 1}}},
                             {.k = 1000, .points = {{{16, 0}, .9, 4}}}});
  EXPECT_EQ(table.Reach(100, .9).effort, (SearchEffort{8, 0}));
}

TEST(EffortTableTest, MorePointsAreTakenAsFarAsThereAre) {
  const EffortTable table = EffortTable::FrontsOf(
      {{.k = 5,
        .points = {{{1, 1}, .8, 1}, {{2, 1}, .9, 2}, {{3, 1}, .95, 3}}}});
  EXPECT_EQ(table.Reach(5, .85, 0).cost, 2);
  EXPECT_EQ(table.Reach(5, .85, 1).cost, 3);
  EXPECT_EQ(table.Reach(5, .85, 9).cost, 3);
}

TEST(EffortTableTest, TheCheapestThatReachesTheTarget) {
  const EffortTable table = Table();
  EXPECT_EQ(table.Reach(10, .5).effort, (SearchEffort{4, 4}));
  EXPECT_EQ(table.Reach(10, .95).effort, (SearchEffort{4, 4}));
  EXPECT_EQ(table.Reach(10, .96).effort, (SearchEffort{8, 4}));
  EXPECT_EQ(table.Reach(100, .9).overlap, .9);
}

TEST(EffortTableTest, OutOfReachIsTheCheapestNearTheBest) {
  EXPECT_EQ(Table().Reach(100, .99).overlap, .9);
  const EffortTable flat_end = EffortTable::FrontsOf(
      {{.k = 5,
        .points = {{{1, 1}, .8, 1}, {{2, 1}, .899, 2}, {{9, 1}, .9, 9}}}});
  EXPECT_EQ(flat_end.Reach(5, .99).cost, 2);
  // But not where the best one reaches it.
  EXPECT_EQ(flat_end.Reach(5, .9).cost, 9);
}

TEST(EffortTableTest, WhereNothingWasMeasuredEverythingIsFound) {
  EXPECT_TRUE(EffortTable().empty());
  EXPECT_EQ(EffortTable().Reach(100, .99).overlap, 1);
}

TEST(EffortTableTest, ABundleKeepsIt) {
  v1::Efforts info;
  Table().ToProto(info);
  EXPECT_EQ(info.points_size(), 4);
  const auto back = EffortTable::Create(info);
  ASSERT_THAT(back, IsOk());
  v1::Efforts again;
  back->ToProto(again);
  EXPECT_EQ(info.SerializeAsString(), again.SerializeAsString());
}

TEST(EffortTableTest, PointsOfNoFrontAreRefused) {
  for (const char* points : {"points { k: 0 overlap: .5 cost: 1 }",
                             "points { k: 5 overlap: 1.5 cost: 1 }",
                             "points { k: 5 overlap: nan cost: 1 }",
                             "points { k: 5 overlap: .5 cost: inf }",
                             "points { k: 5 overlap: .5 cost: 2 } points { k: "
                             "5 overlap: .6 cost: 1 }",
                             "points { k: 5 overlap: .5 cost: 1 } points { k: "
                             "5 overlap: .5 cost: 2 }",
                             "points { k: 9 overlap: .5 cost: 1 } points { k: "
                             "5 overlap: .6 cost: 2 }"}) {
    v1::Efforts info;
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(points, &info));
    EXPECT_THAT(
        EffortTable::Create(info),
        StatusIs(absl::StatusCode::kDataLoss, HasSubstr("no Pareto front")))
        << points;
  }
}

}  // namespace
}  // namespace segue
