#include "trainer/model/candidates.h"

#include <cmath>
#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace segue {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::FloatNear;
using ::testing::IsEmpty;

constexpr float kNever = -std::numeric_limits<float>::infinity();
constexpr int64_t kItems = 8;

class CandidatesTest : public ::testing::Test {
 protected:
  // Items 0 to 4 are in training.
  static Candidates Make(Candidates::Options options) {
    return {options, {0, 1, 2, 3, 4}, kItems};
  }
  void Draw(Candidates& candidates, int64_t step = 0) {
    frequency_.Observe(targets_);
    candidates.Draw(step, targets_, frequency_);
  }

  const std::vector<int32_t> targets_ = {3, 1, 3, 3};
  FrequencyEstimator frequency_{kItems, 0, 0.05};
};

TEST_F(CandidatesTest, InBatchAreTheTargetsOnceEach) {
  Candidates candidates = Make({});
  Draw(candidates);
  EXPECT_THAT(candidates.items(), ElementsAre(3, 1));
  EXPECT_THAT(candidates.targets(), ElementsAre(0, 1, 0, 0));
  EXPECT_EQ(candidates.Of(1), 1);
  EXPECT_EQ(candidates.Of(2), -1);
}

// Item 3 came three times; four draws at its probability are expected to give
// it 4 q times.
TEST_F(CandidatesTest, InBatchIsCorrectedForHowOftenAnItemIsATarget) {
  Candidates candidates = Make({});
  Draw(candidates);
  const double three = 4 * frequency_.Probability(3);
  const double one = 4 * frequency_.Probability(1);
  EXPECT_THAT(candidates.negative_offsets(),
              ElementsAre(FloatNear(std::log(3 / three), 1e-6),
                          FloatNear(std::log(1 / one), 1e-6)));
  EXPECT_THAT(candidates.target_offsets(),
              ElementsAre(FloatNear(-std::log(three), 1e-6),
                          FloatNear(-std::log(one), 1e-6)));
}

TEST_F(CandidatesTest, WithoutCorrectionOnlyTheCountIsLeft) {
  Candidates candidates = Make({.logq_correction = false});
  Draw(candidates);
  EXPECT_THAT(candidates.negative_offsets(),
              ElementsAre(FloatEq(std::log(3.0f)), 0));
  EXPECT_THAT(candidates.target_offsets(), Each(0));
}

TEST_F(CandidatesTest, FullIsAllOfTrainingWithoutCorrection) {
  Candidates candidates = Make({.negatives = v1::LossConfig::FULL});
  Draw(candidates);
  Draw(candidates, 1);
  EXPECT_THAT(candidates.items(), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(candidates.targets(), ElementsAre(3, 1, 3, 3));
  EXPECT_THAT(candidates.negative_offsets(), IsEmpty());
  EXPECT_THAT(candidates.target_offsets(), IsEmpty());
}

TEST_F(CandidatesTest, ATargetThatWasNotDrawnIsNoNegative) {
  Candidates candidates =
      Make({.negatives = v1::LossConfig::UNIFORM, .uniform_negatives = 1});
  for (int64_t step = 0; step < 20; ++step) {
    Draw(candidates, step);
    int drawn = 0;
    for (const float offset : candidates.negative_offsets()) {
      if (offset == kNever) continue;
      // One of five.
      EXPECT_FLOAT_EQ(offset, std::log(5.0f));
      ++drawn;
    }
    EXPECT_EQ(drawn, 1);
    EXPECT_EQ(candidates.negatives(), 1);
    EXPECT_NE(candidates.negative_offsets()[0], kNever);
    EXPECT_THAT(candidates.target_offsets(), Each(0));
  }
}

// Even if it was there before, as a target.
TEST_F(CandidatesTest, WhatIsAddedForPairsCanBeANegative) {
  Candidates candidates =
      Make({.negatives = v1::LossConfig::UNIFORM, .uniform_negatives = 1});
  for (int64_t step = 0; step < 20; ++step) {
    Draw(candidates, step);
    candidates.AddForPairs(targets_[0]);
    EXPECT_LT(candidates.Of(targets_[0]), candidates.negatives());
  }
}

// The mean over many draws of what a candidate counts for as a negative: one,
// for every item of training, whatever the share of the targets that it is.
TEST_F(CandidatesTest, OnAverageEveryItemCountsOnce) {
  for (const auto negatives :
       {v1::LossConfig::UNIFORM, v1::LossConfig::MIXED}) {
    Candidates candidates =
        Make({.negatives = negatives, .uniform_negatives = 3});
    for (int i = 0; i < 500; ++i) frequency_.Observe(targets_);
    std::vector<double> counts(kItems);
    constexpr int kSteps = 4000;
    for (int64_t step = 0; step < kSteps; ++step) {
      Draw(candidates, step);
      for (size_t c = 0; c < candidates.items().size(); ++c) {
        counts[candidates.items()[c]] +=
            std::exp(candidates.negative_offsets()[c]) / kSteps;
      }
    }
    for (int item = 0; item < 5; ++item) {
      EXPECT_NEAR(counts[item], 1, 0.07) << negatives << " " << item;
    }
    EXPECT_EQ(counts[5], 0);  // not in training
  }
}

TEST_F(CandidatesTest, DrawsAreAFunctionOfSeedAndStep) {
  const Candidates::Options options = {
      .negatives = v1::LossConfig::UNIFORM, .uniform_negatives = 3, .seed = 5};
  Candidates::Options other = options;
  other.seed = 6;
  Candidates one = Make(options), same = Make(options), differs = Make(other);
  int differences = 0;
  for (int64_t step = 0; step < 10; ++step) {
    for (Candidates* candidates : {&one, &same, &differs}) {
      Draw(*candidates, step);
    }
    EXPECT_EQ(one.items(), same.items());
    differences += one.items() != differs.items() ? 1 : 0;
  }
  EXPECT_GT(differences, 0);
}

}  // namespace
}  // namespace segue
