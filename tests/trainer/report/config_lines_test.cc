#include "trainer/report/config_lines.h"

#include "gmock/gmock.h"
#include "tests/trainer/report/full_report.h"

namespace segue {
namespace {

using ::testing::Contains;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

TEST(ConfigOfTest, ReadsWhatTheReportHas) {
  const auto config = ConfigOf(testing::FullReport());
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->seed(), 11);
  EXPECT_EQ(config->training().validation_k(), 20);
}

TEST(ConfigOfTest, IsNoneWhereThereIsNoneOrAnotherThing) {
  v1::Report report;
  EXPECT_FALSE(ConfigOf(report).has_value());
  report.set_config("training { epochs: }");
  EXPECT_FALSE(ConfigOf(report).has_value());
}

TEST(ConfigOfTest, PassesOverFieldsOfAnotherVersion) {
  v1::Report report;
  report.set_config("seed: 3 not_a_field { x: 1 }");
  const auto config = ConfigOf(report);
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->seed(), 3);
}

TEST(ConfigLinesTest, HaveThePathsOfSetAndTheDefaults) {
  v1::TrainerConfig config;
  config.mutable_training()->set_epochs(3);
  config.mutable_model()->add_layers(64);
  config.mutable_items()->add_features()->set_name("artist");
  const auto lines = ConfigLines(config);
  EXPECT_THAT(lines, Contains(Pair("training.epochs", "3")));
  EXPECT_THAT(lines, Contains(Pair("training.batch_size", "2048")));
  EXPECT_THAT(lines, Contains(Pair("split.kind", "LAST_DAYS")));
  EXPECT_THAT(lines, Contains(Pair("model.layers[0]", "64")));
  EXPECT_THAT(lines, Contains(Pair("items.features[0].name", "\"artist\"")));
  EXPECT_THAT(lines, Not(Contains(Key("items.features[1].name"))));
}

TEST(SplitTextTest, SaysWhichEventsAreTheTest) {
  v1::TrainerConfig config;
  v1::SplitConfig& split = *config.mutable_split();
  split.set_validation_days(0.5);
  EXPECT_EQ(SplitText(config),
            "test: last 7 days, validation: 0.5 days before");
  split.set_gap_minutes(30);
  config.mutable_evaluation()->set_protocol(v1::EvaluationConfig::USER_SPLIT);
  EXPECT_EQ(SplitText(config),
            "test: last 7 days, validation: 0.5 days before, gaps of 30 min, "
            "a query a user");
  split.set_kind(v1::SplitConfig::LEAVE_ONE_OUT);
  EXPECT_EQ(SplitText(config), "leave one out");
}

TEST(LossTextTest, SaysWhatATargetIsComparedWith) {
  v1::TrainerConfig config;
  EXPECT_EQ(LossText(config), "softmax over the batch, logQ");
  v1::LossConfig& loss = *config.mutable_training()->mutable_loss();
  loss.set_negatives(v1::LossConfig::MIXED);
  loss.set_uniform_negatives(64);
  config.mutable_training()->set_logq_correction(false);
  config.mutable_events()->set_negatives(v1::EventsConfig::EXPLICIT);
  EXPECT_EQ(LossText(config),
            "softmax over the batch and 64 uniform negatives, no logQ, "
            "dislikes compared with");
  loss.set_negatives(v1::LossConfig::UNIFORM);
  loss.set_mask_history(true);
  config.mutable_events()->set_negatives(v1::EventsConfig::MASK);
  EXPECT_EQ(LossText(config),
            "softmax over 64 uniform negatives, history masked, dislikes "
            "masked");
  loss.set_negatives(v1::LossConfig::FULL);
  EXPECT_EQ(LossText(config),
            "softmax over all items, history masked, dislikes masked");
}

}  // namespace
}  // namespace segue
