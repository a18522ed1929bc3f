#include "trainer/config/automatic_options.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace segue {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

v1::TrainerConfig Sequences() {
  v1::TrainerConfig config;
  config.mutable_model()->mutable_encoder()->set_kind(
      v1::EncoderConfig::TRANSFORMER);
  return config;
}

double DropoutFor(int64_t items, int64_t events) {
  v1::TrainerConfig config = Sequences();
  FillAutomaticOptions(items, events, config);
  return config.model().encoder().dropout();
}

TEST(AutomaticOptionsTest, FullSoftmaxIsForSmallCatalogues) {
  v1::TrainerConfig config;
  v1::LossConfig& loss = *config.mutable_training()->mutable_loss();
  loss.set_negatives(v1::LossConfig::AUTO);
  EXPECT_THAT(FillAutomaticOptions(kFullSoftmaxItems, 100, config),
              ElementsAre(HasSubstr("FULL, for 10000 items")));
  EXPECT_EQ(loss.negatives(), v1::LossConfig::FULL);
  loss.set_negatives(v1::LossConfig::AUTO);
  FillAutomaticOptions(kFullSoftmaxItems + 1, 100, config);
  EXPECT_EQ(loss.negatives(), v1::LossConfig::UNIFORM);
}

TEST(AutomaticOptionsTest, SparseSetsDropMore) {
  EXPECT_EQ(DropoutFor(100, 50), 0.5);
  EXPECT_EQ(DropoutFor(100, 2000), 0.5);
  EXPECT_NEAR(DropoutFor(1000, 63246), 0.35, 1e-9);  // halfway
  EXPECT_EQ(DropoutFor(100, 20000), 0.2);
  EXPECT_EQ(DropoutFor(100, 900000), 0.2);
}

TEST(AutomaticOptionsTest, WhatIsSetStays) {
  v1::TrainerConfig config = Sequences();
  config.mutable_model()->mutable_encoder()->set_dropout(0.1);
  config.mutable_training()->mutable_loss()->set_negatives(
      v1::LossConfig::MIXED);
  EXPECT_THAT(FillAutomaticOptions(10, 10, config), IsEmpty());
  EXPECT_EQ(config.model().encoder().dropout(), 0.1);
  EXPECT_EQ(config.training().loss().negatives(), v1::LossConfig::MIXED);
}

TEST(AutomaticOptionsTest, AMeanHasNoDropoutToChoose) {
  v1::TrainerConfig config;
  EXPECT_THAT(FillAutomaticOptions(10, 10, config), IsEmpty());
  EXPECT_FALSE(config.model().encoder().has_dropout());
}

}  // namespace
}  // namespace segue
