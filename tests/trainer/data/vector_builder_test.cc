#include "trainer/data/vector_builder.h"

#include <cmath>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using ::segue::testing::IsOk;
using ::segue::testing::StatusIs;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::FloatNear;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

absl::Status Add(VectorBuilder& builder, int32_t owner,
                 const std::vector<double>& numbers) {
  Column column;
  column.numbers = numbers;
  column.begins = {0, static_cast<int64_t>(numbers.size())};
  return builder.Add(owner, column, 0);
}

absl::Status AddText(VectorBuilder& builder, int32_t owner,
                     absl::string_view text) {
  Column column;
  column.is_text = true;
  column.texts = {text};
  return builder.Add(owner, column, 0);
}

TEST(VectorBuilderTest, MeanIsTakenOffAndMeanLengthIsOne) {
  VectorBuilder builder("|");
  ASSERT_THAT(Add(builder, 2, {1, 10}), IsOk());
  ASSERT_THAT(Add(builder, 0, {5, 16}), IsOk());
  FeatureTable table;
  builder.Finish(/*rows=*/4, table);
  EXPECT_EQ(table.vector_width, 2);
  // Mean (3, 13); left are +-(2, 3). Owners 1 and 3 have none.
  const float a = 2 / std::sqrt(13.0f), b = 3 / std::sqrt(13.0f);
  EXPECT_THAT(table.vectors, ElementsAre(FloatEq(a), FloatEq(b), 0, 0,
                                         FloatEq(-a), FloatEq(-b), 0, 0));
  EXPECT_EQ(builder.vectors(), 0);
}

TEST(VectorBuilderTest, RelativeLengthsStay) {
  VectorBuilder builder("|");
  const std::vector<double> numbers = {-3, 3, -1, 1};
  for (int32_t owner = 0; owner < 4; ++owner) {
    ASSERT_THAT(Add(builder, owner, {numbers[owner]}), IsOk());
  }
  FeatureTable table;
  builder.Finish(4, table);
  const float one = 1 / std::sqrt(5.0f);
  EXPECT_THAT(table.vectors, ElementsAre(FloatEq(-3 * one), FloatEq(3 * one),
                                         FloatEq(-one), FloatEq(one)));
}

TEST(VectorBuilderTest, VectorsCanBeScaledAsOthersWere) {
  VectorBuilder builder("|");
  ASSERT_THAT(Add(builder, 0, {1, 10}), IsOk());
  ASSERT_THAT(Add(builder, 2, {5, 16}), IsOk());
  FeatureTable table;
  builder.Finish(/*rows=*/3, table);
  EXPECT_THAT(table.vector_scale.mean(), ElementsAre(3, 13));
  EXPECT_FLOAT_EQ(table.vector_scale.factor(), 1 / std::sqrt(13.0f));
  v1::VectorScale earlier;
  earlier.add_mean(0);
  earlier.add_mean(10);
  earlier.set_factor(0.5f);
  RescaleVectors(earlier, table);
  // The row without a vector stays without.
  EXPECT_THAT(table.vectors, ElementsAre(FloatEq(0.5f), FloatNear(0, 1e-6f), 0,
                                         0, FloatEq(2.5f), FloatEq(3)));
  EXPECT_EQ(table.vector_scale.factor(), 0.5f);
}

TEST(VectorBuilderTest, TheSameScaleChangesNotABit) {
  VectorBuilder builder("|");
  ASSERT_THAT(Add(builder, 0, {0.1, 0.7}), IsOk());
  ASSERT_THAT(Add(builder, 1, {0.3, -0.2}), IsOk());
  FeatureTable table;
  builder.Finish(/*rows=*/2, table);
  const std::vector<float> before = table.vectors;
  RescaleVectors(v1::VectorScale(table.vector_scale), table);
  EXPECT_EQ(table.vectors, before);
}

TEST(VectorBuilderTest, EqualVectorsAreZeros) {
  VectorBuilder builder("|");
  for (int32_t owner : {0, 1}) {
    ASSERT_THAT(Add(builder, owner, {7, -2}), IsOk());
  }
  FeatureTable table;
  builder.Finish(2, table);
  EXPECT_EQ(table.vectors.size(), 4u);
  EXPECT_THAT(table.vectors, Each(0));
}

TEST(VectorBuilderTest, TextIsSplit) {
  VectorBuilder builder(";");
  ASSERT_THAT(AddText(builder, 0, "1; -2.5e1 ;0"), IsOk());
  ASSERT_THAT(Add(builder, 1, {3, -27, 0}), IsOk());
  FeatureTable table;
  builder.Finish(2, table);
  const float x = 1 / std::sqrt(2.0f);
  EXPECT_THAT(table.vectors, ElementsAre(FloatEq(-x), FloatEq(x), 0, FloatEq(x),
                                         FloatEq(-x), 0));
}

TEST(VectorBuilderTest, EmptyListIsNoVector) {
  VectorBuilder builder("|");
  ASSERT_THAT(Add(builder, 0, {}), IsOk());
  EXPECT_FALSE(builder.HasVector(0));
  ASSERT_THAT(Add(builder, 0, {1}), IsOk());
  EXPECT_TRUE(builder.HasVector(0));
  EXPECT_FALSE(builder.HasVector(1));
}

TEST(VectorBuilderTest, BothLengthsAreNamed) {
  VectorBuilder builder("|");
  ASSERT_THAT(Add(builder, 0, {1, 2, 3}), IsOk());
  EXPECT_THAT(Add(builder, 1, {1, 2}),
              StatusIs(kInvalid, AllOf(HasSubstr("a vector of 3 numbers"),
                                       HasSubstr("one of 2"))));
}

TEST(VectorBuilderTest, WhatIsNotFiniteIsRefused) {
  VectorBuilder builder("|");
  for (const double bad : {double{NAN}, HUGE_VAL, -HUGE_VAL, 1e39}) {
    EXPECT_THAT(Add(builder, 0, {1, bad}),
                StatusIs(kInvalid, HasSubstr("at place 2")))
        << bad;
  }
  Column holes;
  holes.numbers = {1, 0};
  holes.nulls = {0, 1};
  holes.begins = {0, 2};
  EXPECT_THAT(builder.Add(0, holes, 0),
              StatusIs(kInvalid, HasSubstr("found nan at place 2")));
  EXPECT_THAT(AddText(builder, 0, "1|inf"),
              StatusIs(kInvalid, HasSubstr("found inf")));
}

TEST(VectorBuilderTest, WordsAreRefused) {
  VectorBuilder builder("|");
  EXPECT_THAT(AddText(builder, 0, "1|two"),
              StatusIs(kInvalid, AllOf(HasSubstr("split by '|'"),
                                       HasSubstr("found 'two'"))));
  EXPECT_THAT(AddText(builder, 0, "1|"),
              StatusIs(kInvalid, HasSubstr("found ''")));
  EXPECT_THAT(AddText(builder, 0, "1 2"),
              StatusIs(kInvalid, HasSubstr("found '1 2'")));
}

}  // namespace
}  // namespace segue
