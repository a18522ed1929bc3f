#include "trainer/data/permute_index.h"

#include <numeric>
#include <set>
#include <vector>

#include "gmock/gmock.h"

namespace segue {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAreArray;

std::vector<int64_t> Order(int64_t n, uint64_t key) {
  std::vector<int64_t> order(n);
  for (int64_t i = 0; i < n; ++i) order[i] = PermuteIndex(i, n, key);
  return order;
}

// Around powers of four, where the network's width changes, above all.
class PermuteIndexTest : public ::testing::TestWithParam<int64_t> {};

TEST_P(PermuteIndexTest, IsAPermutation) {
  std::vector<int64_t> all(GetParam());
  std::iota(all.begin(), all.end(), 0);
  for (uint64_t key : {uint64_t{0}, uint64_t{1}, ~uint64_t{0}}) {
    EXPECT_THAT(Order(GetParam(), key), UnorderedElementsAreArray(all)) << key;
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, PermuteIndexTest,
                         ::testing::Values(1, 2, 3, 4, 5, 7, 15, 16, 17, 63, 64,
                                           65, 255, 256, 257, 1000));

TEST(PermuteIndexKeyTest, EachKeyGivesAnotherOrder) {
  std::set<std::vector<int64_t>> orders;
  for (uint64_t key = 0; key < 100; ++key) orders.insert(Order(1000, key));
  EXPECT_EQ(orders.size(), 100u);
}

TEST(PermuteIndexKeyTest, EveryOrderOfThreeComesUp) {
  std::set<std::vector<int64_t>> orders;
  for (uint64_t key = 0; key < 200; ++key) orders.insert(Order(3, key));
  EXPECT_EQ(orders.size(), 6u);
}

TEST(PermuteIndexKeyTest, LeavesNoTraceOfTheOldOrder) {
  // Ascending neighbours are as many as descending ones, and few places keep
  // their index: both would fail for a rotation or for the identity.
  const std::vector<int64_t> order = Order(1000, /*key=*/7);
  int ascending = 0, fixed = 0;
  for (int64_t i = 0; i < 999; ++i) {
    ascending += order[i] < order[i + 1] ? 1 : 0;
    fixed += order[i] == i ? 1 : 0;
  }
  EXPECT_GT(ascending, 430);
  EXPECT_LT(ascending, 570);
  EXPECT_LT(fixed, 10);
}

TEST(PermuteIndexKeyTest, LargeRangesStayInside) {
  constexpr int64_t kBillions = 5'000'000'000;
  std::set<int64_t> places;
  for (int64_t i = 0; i < 1000; ++i) {
    const int64_t place = PermuteIndex(kBillions - 1 - i, kBillions, 3);
    EXPECT_GE(place, 0);
    EXPECT_LT(place, kBillions);
    places.insert(place);
  }
  EXPECT_EQ(places.size(), 1000u);
}

// A resumed run depends on it: on every machine, in every release.
TEST(PermuteIndexKeyTest, StaysWhatItWas) {
  EXPECT_THAT(Order(8, 1), ElementsAre(6, 4, 0, 1, 5, 7, 3, 2));
}

}  // namespace
}  // namespace segue
