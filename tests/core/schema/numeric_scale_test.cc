#include "core/schema/numeric_scale.h"

#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using ::testing::FloatEq;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using testing::StatusIs;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

TEST(NumericScaleTest, ZScoreHasMeanZeroAndUnitDeviation) {
  const auto scale = FitScale(v1::Z_SCORE, {1, 3});
  EXPECT_THAT(ApplyScale(scale.value(), 1), FloatEq(-1));
  EXPECT_THAT(ApplyScale(scale.value(), 2), FloatEq(0));
  EXPECT_THAT(ApplyScale(scale.value(), 3), FloatEq(1));
}

TEST(NumericScaleTest, MissingNumbersAreLeftOutAndBecomeTheMean) {
  const auto scale = FitScale(v1::Z_SCORE, {1, kNaN, 3});
  EXPECT_DOUBLE_EQ(scale->mean(), 2);
  EXPECT_EQ(ApplyScale(*scale, kNaN), 0);
}

TEST(NumericScaleTest, AConstantColumnIsNotDividedByZero) {
  const auto scale = FitScale(v1::Z_SCORE, {5, 5, 5});
  EXPECT_THAT(ApplyScale(scale.value(), 5), FloatEq(0));
  EXPECT_THAT(ApplyScale(scale.value(), 6), FloatEq(1));
}

TEST(NumericScaleTest, NoNumbersGiveTheIdentity) {
  const auto scale = FitScale(v1::Z_SCORE, {kNaN});
  EXPECT_THAT(ApplyScale(scale.value(), 3), FloatEq(3));
}

// Towers multiply and square what they get, in floats.
TEST(NumericScaleTest, WhatIsFartherThanAMillionDeviationsIsNotThatFar) {
  const auto scale = FitScale(v1::Z_SCORE, {1, 3});
  EXPECT_EQ(ApplyScale(scale.value(), 1e300), 1e6F);
  EXPECT_EQ(ApplyScale(scale.value(), -1e300), -1e6F);
  EXPECT_THAT(ApplyScale(scale.value(), 5e5), FloatEq(5e5F - 2));
}

TEST(NumericScaleTest, LogIsTakenBeforeTheZScore) {
  const float e = static_cast<float>(std::exp(2) - 1);
  const auto scale = FitScale(v1::LOG1P_Z_SCORE, {0, e});  // logs 0 and 2
  EXPECT_NEAR(ApplyScale(scale.value(), e), 1, 1e-6);
  EXPECT_NEAR(ApplyScale(scale.value(), 0), -1, 1e-6);
}

TEST(NumericScaleTest, LogOfANegativeNumberIsRefusedAtFitting) {
  EXPECT_THAT(FitScale(v1::LOG1P_Z_SCORE, {1, -2}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("-2")));
}

TEST(NumericScaleTest, WhatHasNoFiniteLogBecomesTheMeanAtServing) {
  const auto scale = FitScale(v1::LOG1P_Z_SCORE, {1, 2});
  EXPECT_EQ(ApplyScale(scale.value(), -1), 0);
  EXPECT_EQ(ApplyScale(scale.value(), std::numeric_limits<double>::infinity()),
            0);
}

TEST(NumericScaleTest, QuantilesMapTheMedianToZeroAndClipTheEnds) {
  std::vector<double> values(101);
  std::iota(values.begin(), values.end(), 0.0f);
  const auto scale = FitScale(v1::QUANTILE_NORMAL, values);
  EXPECT_THAT(ApplyScale(scale.value(), 50), FloatNear(0, 1e-6));
  // scipy.stats.norm.ppf(.975)
  EXPECT_THAT(ApplyScale(*scale, 97.5), FloatNear(1.959964f, 1e-5));
  EXPECT_THAT(ApplyScale(*scale, -1e9), FloatNear(-5.199338f, 1e-5));
  EXPECT_THAT(ApplyScale(*scale, 1e9), FloatNear(5.199338f, 1e-5));
}

TEST(NumericScaleTest, TiedQuantilesTakeTheMiddleOfTheirRanks) {
  // Ranks of 7 are 1, 2 and 3 of 0..4: the middle is the median.
  const auto scale = FitScale(v1::QUANTILE_NORMAL, {1, 7, 7, 7, 9});
  EXPECT_THAT(ApplyScale(scale.value(), 7), FloatNear(0, 1e-6));
}

TEST(NumericScaleTest, AConstantColumnOfQuantilesIsZero) {
  const auto scale = FitScale(v1::QUANTILE_NORMAL, {4});
  EXPECT_EQ(ApplyScale(scale.value(), 4), 0);
  EXPECT_EQ(ApplyScale(scale.value(), 100), 0);
}

TEST(NumericScaleTest, KeepsAThousandQuantilesOfMany) {
  std::vector<double> values(5000);
  std::iota(values.begin(), values.end(), 0.0f);
  const auto scale = FitScale(v1::QUANTILE_NORMAL, values);
  EXPECT_EQ(scale->quantiles_size(), 1000);
  EXPECT_DOUBLE_EQ(scale->quantiles(0), 0);
  EXPECT_DOUBLE_EQ(scale->quantiles(999), 4999);
}

}  // namespace
}  // namespace segue
