#include "core/config/text_proto.h"

#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "segue/v1/config.pb.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"

namespace segue {
namespace {

using segue::testing::IsOk;
using segue::testing::StatusIs;
using segue::testing::TempFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST(TextProtoTest, DefaultsHoldForWhatTheFileLeavesOut) {
  v1::ServerConfig config;
  ASSERT_THAT(ParseTextProto("max_top_k: 7", "c", config), IsOk());
  EXPECT_EQ(config.max_top_k(), 7);
  EXPECT_EQ(config.max_history(), 1000);
}

TEST(TextProtoTest, UnknownFieldIsRefusedWithItsPlace) {
  v1::ServerConfig config;
  EXPECT_THAT(
      ParseTextProto("max_top_k: 7\nmax_topk: 8", "c.textproto", config),
      StatusIs(kInvalid,
               AllOf(HasSubstr("c.textproto:2:"), HasSubstr("max_topk"))));
}

TEST(TextProtoTest, MissingFileIsNotFoundAndNamed) {
  const TempFolder folder;
  v1::ServerConfig config;
  EXPECT_THAT(LoadTextProto(folder / "none", config),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none")));
}

TEST(TextProtoTest, AssignmentsOverrideTheFileInOrder) {
  const TempFolder folder;
  std::ofstream(folder / "c") << "max_top_k: 7\nbundle_root: 'a'";
  v1::ServerConfig config;
  ASSERT_THAT(
      LoadConfig(folder / "c",
                 {"max_top_k=8", "max_top_k=9", "bundle_root=b c"}, config),
      IsOk());
  EXPECT_EQ(config.max_top_k(), 9);
  EXPECT_EQ(config.bundle_root(), "b c");
}

TEST(SetFieldTest, ReachesNestedAndRepeatedFields) {
  v1::TrainerConfig config;
  ASSERT_THAT(SetField("training.epochs=3", config), IsOk());
  ASSERT_THAT(SetField("items.features[+].name=genre", config), IsOk());
  ASSERT_THAT(SetField("items.features[0].kind=MULTI_CATEGORICAL", config),
              IsOk());
  ASSERT_THAT(SetField("model.layers=[64, 32]", config), IsOk());
  ASSERT_THAT(SetField("model.layers[+]=16", config), IsOk());
  EXPECT_EQ(config.training().epochs(), 3);
  EXPECT_EQ(config.items().features(0).name(), "genre");
  EXPECT_EQ(config.items().features(0).kind(), v1::MULTI_CATEGORICAL);
  EXPECT_THAT(config.model().layers(), ElementsAre(64, 32, 16));
}

TEST(SetFieldTest, QuotesAndBackslashesStayAsTheyAre) {
  v1::ServerConfig config;
  ASSERT_THAT(SetField(R"(bundle_root=a"b\c=d)", config), IsOk());
  EXPECT_EQ(config.bundle_root(), R"(a"b\c=d)");
}

struct BadAssignment {
  const char* text;
  const char* said;
};

class SetFieldRefusesTest : public ::testing::TestWithParam<BadAssignment> {};

TEST_P(SetFieldRefusesTest, WithTheAssignmentAndTheReason) {
  v1::TrainerConfig config;
  EXPECT_THAT(SetField(GetParam().text, config),
              StatusIs(kInvalid, AllOf(HasSubstr(GetParam().text),
                                       HasSubstr(GetParam().said))));
}

INSTANTIATE_TEST_SUITE_P(
    Table, SetFieldRefusesTest,
    ::testing::Values(BadAssignment{"training.epochs", "path=value"},
                      BadAssignment{"training.epoch=3", "it has batch_size"},
                      BadAssignment{"training.epochs=three", "no value"},
                      BadAssignment{"training.epochs=99999999999", "no value"},
                      BadAssignment{"seed.x=3", "no fields of its own"},
                      BadAssignment{"items.features[0].name=a",
                                    "has 0 elements"},
                      BadAssignment{"items.features.name=a", "features[+]"},
                      BadAssignment{"items.features[x].name=a", "name[number]"},
                      BadAssignment{"training[0].epochs=3", "not repeated"},
                      BadAssignment{"split.kind=RANDOM", "no value"},
                      BadAssignment{"=3", "there is no field"}));

TEST(ViolationsToStatusTest, ListsAll) {
  EXPECT_THAT(ViolationsToStatus({}), IsOk());
  EXPECT_THAT(ViolationsToStatus({"a", "b"}), StatusIs(kInvalid, "a\nb"));
}

}  // namespace
}  // namespace segue
