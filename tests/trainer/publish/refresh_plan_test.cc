#include "trainer/publish/refresh_plan.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace segue {
namespace {

using ::testing::ElementsAre;

constexpr auto kSame = ItemFate::kSame;
constexpr auto kChanged = ItemFate::kChanged;
constexpr auto kNew = ItemFate::kNew;
constexpr auto kRemoved = ItemFate::kRemoved;

std::vector<int32_t> Items(const RefreshPlan& plan) {
  std::vector<int32_t> items;
  for (const RefreshedRow& row : plan.rows) items.push_back(row.item);
  return items;
}

std::vector<int32_t> Alive(const RefreshPlan& plan) {
  std::vector<int32_t> rows;
  for (size_t r = 0; r < plan.rows.size(); ++r) {
    if (plan.rows[r].alive) rows.push_back(static_cast<int32_t>(r));
  }
  return rows;
}

TEST(RefreshPlanTest, OldRowsStayAndNewOnesComeBehind) {
  const RefreshPlan plan =
      PlanRefresh({kSame, kChanged, kRemoved, kNew}, 1, false);
  EXPECT_FALSE(plan.rebuild);
  EXPECT_THAT(Items(plan), ElementsAre(0, 1, 2, 1, 3));
  EXPECT_THAT(Alive(plan), ElementsAre(0, 3, 4));
  EXPECT_EQ(plan.appended, 3);
  EXPECT_EQ(plan.dead, 2);
  EXPECT_THAT(RowsOf(plan, 4), ElementsAre(0, 3, 2, 4));
}

TEST(RefreshPlanTest, PastTheLimitDeadRowsGo) {
  const std::vector<ItemFate> fates = {kSame, kRemoved, kSame, kChanged, kNew};
  // 2 of 6 rows would be dead.
  EXPECT_FALSE(PlanRefresh(fates, .34, false).rebuild);
  for (const RefreshPlan& plan :
       {PlanRefresh(fates, .33, false), PlanRefresh(fates, 1, true)}) {
    EXPECT_TRUE(plan.rebuild);
    EXPECT_THAT(Items(plan), ElementsAre(0, 2, 3, 4));
    EXPECT_EQ(plan.dead, 0);
    EXPECT_THAT(RowsOf(plan, 5), ElementsAre(0, -1, 1, 2, 3));
  }
}

TEST(RefreshPlanTest, IdsMoveWithTheirItems) {
  Vocabulary catalogue(2);
  for (const char* id : {"a", "b", "c"}) catalogue.Add(id);
  const RefreshPlan plan = PlanRefresh({kChanged, kRemoved, kNew}, 1, false);
  const Vocabulary ids = IdsOf(plan, catalogue);
  EXPECT_EQ(ids.size(), 4);
  EXPECT_EQ(ids.unknown_buckets(), 2);
  EXPECT_EQ(*ids.Find("a"), 2);
  EXPECT_EQ(*ids.Find("b"), 1);
  EXPECT_EQ(*ids.Find("c"), 3);
}

TEST(RefreshPlanTest, AMovedRowTakesNoItemsName) {
  Vocabulary catalogue(1);
  catalogue.Add("a");
  catalogue.Add("\x01moved 0");
  const RefreshPlan plan = PlanRefresh({kChanged, kSame}, 1, false);
  const Vocabulary ids = IdsOf(plan, catalogue);
  EXPECT_EQ(ids.size(), 3);
  EXPECT_EQ(*ids.Find("a"), 2);
  EXPECT_EQ(*ids.Find("\x01moved 0"), 1);
}

}  // namespace
}  // namespace segue
