#include "trainer/model/learning_rate.h"

#include "gtest/gtest.h"

namespace segue {
namespace {

v1::TrainingConfig Config(v1::TrainingConfig::Schedule schedule) {
  v1::TrainingConfig config;
  config.set_learning_rate(0.1);
  config.set_warmup_steps(10);
  config.set_schedule(schedule);
  config.set_final_rate_share(0.2);
  return config;
}

TEST(LearningRateTest, ANumberIsTheRateOfEveryStep) {
  const LearningRate rate = 0.5;
  EXPECT_EQ(rate.Of(0), 0.5);
  EXPECT_EQ(rate.Of(1000000), 0.5);
  EXPECT_EQ(rate.Sum(0), 0);
  EXPECT_EQ(rate.Sum(8), 4);
}

TEST(LearningRateTest, RisesInAStraightLine) {
  const LearningRate rate(Config(v1::TrainingConfig::CONSTANT), 100);
  EXPECT_NEAR(rate.Of(0), 0.01, 1e-12);
  EXPECT_NEAR(rate.Of(4), 0.05, 1e-12);
  EXPECT_NEAR(rate.Of(9), 0.1, 1e-12);
  EXPECT_NEAR(rate.Of(500), 0.1, 1e-12);
}

TEST(LearningRateTest, FallsToItsFinalShare) {
  const LearningRate cosine(Config(v1::TrainingConfig::COSINE), 110);
  const LearningRate linear(Config(v1::TrainingConfig::LINEAR), 110);
  for (const LearningRate& rate : {cosine, linear}) {
    EXPECT_NEAR(rate.Of(10), 0.1, 1e-12);
    EXPECT_NEAR(rate.Of(60), 0.06, 1e-12);  // half way
    EXPECT_NEAR(rate.Of(110), 0.02, 1e-12);
    EXPECT_NEAR(rate.Of(1000), 0.02, 1e-12);
  }
  EXPECT_GT(cosine.Of(35), linear.Of(35));
  EXPECT_LT(cosine.Of(85), linear.Of(85));
}

TEST(LearningRateTest, SumsAreThoseOfTheSteps) {
  for (const auto schedule :
       {v1::TrainingConfig::CONSTANT, v1::TrainingConfig::COSINE,
        v1::TrainingConfig::LINEAR}) {
    const LearningRate rate(Config(schedule), 110);
    double sum = 0;
    for (int64_t step = 0; step < 200; ++step) {
      ASSERT_NEAR(rate.Sum(step), sum, 1e-9) << step;
      sum += rate.Of(step);
    }
  }
}

TEST(LearningRateTest, ARunShorterThanItsWarmUpHasRates) {
  const LearningRate rate(Config(v1::TrainingConfig::COSINE), 5);
  EXPECT_NEAR(rate.Of(4), 0.05, 1e-12);
  EXPECT_NEAR(rate.Of(11), 0.02, 1e-12);
}

}  // namespace
}  // namespace segue
