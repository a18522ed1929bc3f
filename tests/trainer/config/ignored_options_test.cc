#include "trainer/config/ignored_options.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace segue {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Ignored(const std::string& text) {
  v1::TrainerConfig config;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &config));
  return IgnoredOptions(config);
}

TEST(IgnoredOptionsTest, DefaultsAreNotSpokenOf) {
  EXPECT_THAT(Ignored(""), IsEmpty());
  EXPECT_THAT(Ignored("model { encoder { kind: HSTU width: 8 heads: 1 } }"),
              IsEmpty());
}

TEST(IgnoredOptionsTest, ASequenceEncoderDrawsNoWindows) {
  EXPECT_THAT(Ignored("window { max_windows_per_user: 10 } "
                      "model { encoder { kind: TRANSFORMER } }"),
              ElementsAre(HasSubstr("window.max_windows_per_user")));
  EXPECT_THAT(Ignored("window { max_windows_per_user: 10 }"), IsEmpty());
}

TEST(IgnoredOptionsTest, AMeanHasNoWidth) {
  EXPECT_THAT(
      Ignored("model { encoder { width: 8 blocks: 1 heads: 1 dropout: 0.1 "
              "share_item_tower: true } }"),
      ElementsAre(HasSubstr("width"), HasSubstr("blocks"), HasSubstr("heads"),
                  HasSubstr("dropout"), HasSubstr("share_item_tower")));
}

TEST(IgnoredOptionsTest, OnlyHstuHasABiasOfTimes) {
  EXPECT_THAT(
      Ignored("model { encoder { kind: TRANSFORMER time_bias: true } }"),
      ElementsAre(HasSubstr("time_bias")));
  EXPECT_THAT(Ignored("model { encoder { kind: HSTU time_bias: true } }"),
              IsEmpty());
}

TEST(IgnoredOptionsTest, OnlySampledTargetsAreCorrectedByLogQ) {
  EXPECT_THAT(Ignored("training { logq_alpha: 0.1 logq_slots: 9 "
                      "logq_correction: false loss { negatives: UNIFORM } }"),
              ElementsAre(HasSubstr("logq_correction"), HasSubstr("logq_alpha"),
                          HasSubstr("logq_slots")));
  EXPECT_THAT(Ignored("training { logq_alpha: 0.1 loss { negatives: MIXED } }"),
              IsEmpty());
  EXPECT_THAT(
      Ignored("training { loss { negatives: FULL uniform_negatives: 5 } }"),
      ElementsAre(HasSubstr("FULL")));
}

TEST(IgnoredOptionsTest, SchedulesStoppingAndAgeNeedWhatTheyStandOn) {
  EXPECT_THAT(Ignored("training { final_rate_share: 0.1 validation_k: 5 } "
                      "events { time_unit: ORDER } "
                      "model { example_age: true }"),
              ElementsAre(HasSubstr("final_rate_share"),
                          HasSubstr("validation_k"), HasSubstr("example_age")));
}

}  // namespace
}  // namespace segue
