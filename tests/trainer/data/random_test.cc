#include "trainer/base/random.h"

#include <cmath>
#include <vector>

#include "gmock/gmock.h"

namespace segue {
namespace {

using ::testing::Each;

// The first outputs of SplitMix64 seeded with 0, as its authors publish them:
// what a seed means must not change.
TEST(RandomTest, MixIsSplitMix64) {
  constexpr uint64_t kGamma = 0x9e3779b97f4a7c15;
  EXPECT_EQ(Mix64(0), 0xe220a8397b1dcdaf);
  EXPECT_EQ(Mix64(kGamma), 0x6e789e6aa1b965f4);
  EXPECT_EQ(Mix64(2 * kGamma), 0x06c45d188009454f);
}

TEST(RandomTest, MixOfTwoDependsOnTheirOrder) {
  EXPECT_NE(Mix64(1, 2), Mix64(2, 1));
  EXPECT_NE(Mix64(1, 2), Mix64(1, 3));
}

TEST(RandomTest, SeedsGiveTheirOwnStreams) {
  Random a(5), again(5), other(6);
  bool differs = false;
  for (int i = 0; i < 10; ++i) {
    const uint64_t drawn = a.Next();
    EXPECT_EQ(drawn, again.Next());
    differs |= drawn != other.Next();
  }
  EXPECT_TRUE(differs);
}

TEST(RandomTest, UnitIntervalNeverReachesOne) {
  EXPECT_EQ(UnitInterval(0), 0);
  EXPECT_LT(UnitInterval(~uint64_t{0}), 1);
}

TEST(RandomTest, BelowIsEvenAndInRange) {
  Random random(1);
  std::vector<int> drawn(7);
  for (int i = 0; i < 7000; ++i) ++drawn.at(random.Below(7));
  EXPECT_THAT(drawn,
              Each(::testing::AllOf(::testing::Gt(850), ::testing::Lt(1150))));
  EXPECT_EQ(random.Below(1), 0);
}

TEST(RandomTest, DistributionsHaveTheirMeans) {
  Random random(2);
  constexpr int kDraws = 20000;
  double uniform = 0, normal = 0, squares = 0, geometric = 0;
  int chances = 0;
  for (int i = 0; i < kDraws; ++i) {
    uniform += random.Uniform(-1, 3);
    const double z = random.Normal();
    ASSERT_TRUE(std::isfinite(z));
    normal += z;
    squares += z * z;
    const int64_t failures = random.Geometric(0.25);
    ASSERT_GE(failures, 0);
    geometric += static_cast<double>(failures);
    chances += random.Chance(0.3) ? 1 : 0;
  }
  EXPECT_NEAR(uniform / kDraws, 1, 0.05);
  EXPECT_NEAR(normal / kDraws, 0, 0.05);
  EXPECT_NEAR(squares / kDraws, 1, 0.05);
  EXPECT_NEAR(geometric / kDraws, 3, 0.15);
  EXPECT_NEAR(static_cast<double>(chances) / kDraws, 0.3, 0.02);
}

}  // namespace
}  // namespace segue
