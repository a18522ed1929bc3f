#include "trainer/model/age.h"

#include <cmath>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace segue {
namespace {

constexpr float kNear = 1e-6;

// One user; the event at 200 is not for training.
EventLog Log(const std::vector<uint32_t>& times) {
  EventLog log;
  log.times = times;
  log.items.assign(times.size(), 0);
  log.user_begins = {0, static_cast<int64_t>(times.size())};
  return log;
}

Split TrainingEvents(int64_t count, uint32_t latest) {
  Split split;
  split.train_ends = {count};
  split.training_events = count;
  split.latest_training_time = latest;
  return split;
}

// Targets are 9 and 0 seconds old: ages log(10) and 0.
AgeScale TwoTargets(double serving_quantile) {
  v1::TrainerConfig config;
  config.mutable_model()->set_serving_age_quantile(serving_quantile);
  return AgeScale::Fit(Log({7, 91, 100, 200}), TrainingEvents(3, 100), config);
}

TEST(AgeTest, IsTheZScoreOfTheLogOverTargetsOfTraining) {
  const AgeScale age = TwoTargets(0.01);
  EXPECT_NEAR(age.Of(91), 1, kNear);
  EXPECT_NEAR(age.Of(100), -1, kNear);
  EXPECT_NEAR(age.Of(1), std::log(100) / (std::log(10) / 2) - 1, kNear);
}

TEST(AgeTest, WhatComesAfterTrainingIsAsYoungAsItsLastEvent) {
  const AgeScale age = TwoTargets(0.01);
  EXPECT_EQ(age.Of(200), age.Of(100));
}

TEST(AgeTest, ServingAgeIsTheQuantileOfTheTrainingAges) {
  EXPECT_NEAR(TwoTargets(0).serving(), -1, kNear);
  EXPECT_NEAR(TwoTargets(0.01).serving(), -1, kNear);
  EXPECT_NEAR(TwoTargets(1).serving(), 1, kNear);
}

TEST(AgeTest, EventsWithTooShortAHistoryAreNoTargets) {
  v1::TrainerConfig config;
  config.mutable_window()->set_min_history(2);
  // Only 91 and 100 have two events before them.
  const AgeScale age =
      AgeScale::Fit(Log({1, 7, 91, 100}), TrainingEvents(4, 100), config);
  EXPECT_NEAR(age.Of(91), 1, kNear);
  EXPECT_NEAR(age.Of(100), -1, kNear);
}

TEST(AgeTest, EqualAgesAreNotDividedByZero) {
  const AgeScale age =
      AgeScale::Fit(Log({100, 100, 100}), TrainingEvents(3, 100), {});
  EXPECT_EQ(age.Of(100), 0);
  EXPECT_EQ(age.serving(), 0);
  EXPECT_TRUE(std::isfinite(age.Of(1)));
}

TEST(AgeTest, NoTargetsGiveAFiniteAge) {
  const AgeScale age = AgeScale::Fit(Log({7, 200}), TrainingEvents(1, 7), {});
  EXPECT_TRUE(std::isfinite(age.Of(1)));
  EXPECT_EQ(age.serving(), 0);
}

TEST(AgeTest, SwitchedOffItIsZeroEverywhere) {
  v1::TrainerConfig off, order;
  off.mutable_model()->set_example_age(false);
  order.mutable_events()->set_time_unit(v1::EventsConfig::ORDER);
  for (const v1::TrainerConfig& config : {off, order}) {
    const AgeScale age =
        AgeScale::Fit(Log({7, 91, 100, 200}), TrainingEvents(3, 100), config);
    EXPECT_EQ(age.Of(7), 0);
    EXPECT_EQ(age.Of(100), 0);
    EXPECT_EQ(age.serving(), 0);
  }
}

}  // namespace
}  // namespace segue
