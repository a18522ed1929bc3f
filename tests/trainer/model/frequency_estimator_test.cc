#include "trainer/model/frequency_estimator.h"

#include <cmath>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trainer/base/random.h"

namespace segue {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::FloatNear;

constexpr double kAlpha = 0.05;

// Returns the log of each one's probability.
std::vector<float> Observe(FrequencyEstimator& estimator,
                           const std::vector<int32_t>& items) {
  estimator.Observe(items);
  std::vector<float> log_q;
  for (const int32_t item : items) {
    log_q.push_back(static_cast<float>(std::log(estimator.Probability(item))));
  }
  return log_q;
}

TEST(FrequencyEstimatorTest, WhatWasNeverSeenHasNoProbability) {
  FrequencyEstimator estimator(10, 0, kAlpha);
  estimator.Observe(std::vector<int32_t>{3});
  EXPECT_EQ(estimator.Probability(4), 0);
  EXPECT_EQ(estimator.Probability(3), 1);
}

TEST(FrequencyEstimatorTest, FirstEstimateIsTheFirstGap) {
  FrequencyEstimator estimator(10, 0, kAlpha);
  EXPECT_THAT(
      Observe(estimator, {3, 9, 5}),
      ElementsAre(0, FloatEq(std::log(1 / 2.0f)), FloatEq(std::log(1 / 3.0f))));
  // The gap goes on through batches.
  EXPECT_THAT(Observe(estimator, {7}), ElementsAre(FloatEq(std::log(0.25f))));
}

TEST(FrequencyEstimatorTest, ItemInEveryMthPlaceConvergesToOneInM) {
  for (const int m : {2, 8, 50}) {
    FrequencyEstimator estimator(100, 0, kAlpha);
    float log_q = 0;
    for (int round = 0; round < 300; ++round) {
      std::vector<int32_t> batch(m, 1);
      batch[0] = 42;
      log_q = Observe(estimator, batch)[0];
    }
    EXPECT_NEAR(log_q, -std::log(m), 1e-5) << m;
  }
}

TEST(FrequencyEstimatorTest, SeveralTimesABatchIsMoreThanOnceABatch) {
  FrequencyEstimator estimator(10, 0, kAlpha);
  std::vector<float> log_q;
  for (int round = 0; round < 300; ++round) {
    log_q = Observe(estimator, {1, 2, 1, 1});
  }
  EXPECT_NEAR(log_q[0], std::log(3 / 4.0), 0.03);
  EXPECT_NEAR(log_q[1], std::log(1 / 4.0), 1e-5);
  EXPECT_EQ(log_q[0], log_q[2]);  // one estimate a batch
}

TEST(FrequencyEstimatorTest, RandomDrawsConvergeToTheirProbability) {
  FrequencyEstimator estimator(10, 0, /*alpha=*/0.002);
  Random random(1);
  float log_q = 0;
  for (int draw = 0; draw < 40000; ++draw) {
    const int32_t item = random.Chance(0.2) ? 4 : 5;
    const float drawn = Observe(estimator, {item})[0];
    if (item == 4) log_q = drawn;
  }
  EXPECT_NEAR(log_q, std::log(0.2), 0.1);
}

TEST(FrequencyEstimatorTest, FollowsAnItemThatBecomesRare) {
  FrequencyEstimator estimator(10, 0, kAlpha);
  for (int i = 0; i < 300; ++i) Observe(estimator, {1});
  float log_q = 0;
  for (int i = 0; i < 300; ++i) {
    log_q = Observe(estimator, {1, 2, 2, 2, 2, 2, 2, 2, 2, 2})[0];
  }
  EXPECT_NEAR(log_q, std::log(0.1), 1e-5);
}

TEST(FrequencyEstimatorTest, HashedSlotsShare) {
  FrequencyEstimator one(100, /*slots=*/1, kAlpha);
  EXPECT_EQ(one.gaps().size(), 1u);
  // To one slot every example is the same item.
  EXPECT_THAT(Observe(one, {3, 9, 27}), Each(FloatNear(0, 1e-6)));

  FrequencyEstimator four(100, /*slots=*/4, kAlpha);
  std::vector<int32_t> items(100);
  for (int32_t i = 0; i < 100; ++i) items[i] = i;
  Observe(four, items);
  EXPECT_EQ(four.gaps().size(), 4u);
  // Each of the four had its part of them.
  EXPECT_THAT(four.gaps(), Each(FloatNear(4 * (1 - std::pow(0.95f, 25)), 2)));
}

TEST(FrequencyEstimatorTest, AsManySlotsAsItemsAreNotHashed) {
  for (const int64_t slots : {10, 11}) {
    FrequencyEstimator estimator(10, slots, kAlpha);
    EXPECT_EQ(estimator.gaps().size(), 10u);
    EXPECT_THAT(Observe(estimator, {0, 9}),
                ElementsAre(0, FloatEq(std::log(0.5f))));
  }
}

TEST(FrequencyEstimatorTest, ProbabilityIsNeverAboveOne) {
  for (const int64_t slots : {0, 2}) {
    FrequencyEstimator estimator(5, slots, kAlpha);
    Random random(3);
    for (int i = 0; i < 2000; ++i) {
      const auto item = static_cast<int32_t>(random.Below(5));
      const float log_q = Observe(estimator, {i % 500 < 250 ? 0 : item})[0];
      ASSERT_LE(log_q, 0);
      ASSERT_TRUE(std::isfinite(log_q));
    }
  }
}

TEST(FrequencyEstimatorTest, GoesOnFromItsState) {
  FrequencyEstimator saved(5, 0, kAlpha), loaded(5, 0, kAlpha);
  Observe(saved, {0, 1, 2, 1, 0});
  loaded.last_seen() = saved.last_seen();
  loaded.gaps() = saved.gaps();
  loaded.shares() = saved.shares();
  loaded.set_examples(saved.examples());
  EXPECT_EQ(Observe(loaded, {1, 4, 0}), Observe(saved, {1, 4, 0}));
}

}  // namespace
}  // namespace segue
