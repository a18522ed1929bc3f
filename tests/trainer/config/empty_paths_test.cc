#include "trainer/config/empty_paths.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "tests/testing/status_matchers.h"
#include "trainer/config/config_validation.h"

namespace segue {
namespace {

using ::segue::testing::IsOk;
using ::segue::testing::StatusIs;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

v1::TrainerConfig WithItems(const std::string& items) {
  v1::TrainerConfig config;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      "events { path: 'e.csv' } items { " + items + " }", &config));
  return config;
}

std::vector<std::string> Names(
    const google::protobuf::RepeatedPtrField<v1::ItemFeature>& features) {
  std::vector<std::string> names;
  for (const v1::ItemFeature& feature : features) {
    names.push_back(feature.name());
  }
  return names;
}

constexpr char kRest[] =
    "catalogue: ALL display_columns: 'title' display_columns: 'artist' "
    "features { name: 'genres' } "
    "features { name: 'length' source: EVENTS kind: NUMERIC } "
    "features { name: 'year' kind: NUMERIC } "
    "features { name: 'album' source: MAPPING mapping_path: 'm.csv' } ";

TEST(EmptyPathsTest, WithoutItemsWhatTheFileHoldsIsLeftOut) {
  v1::TrainerConfig config = WithItems(kRest);
  EXPECT_THAT(
      LeaveOutEmptyPaths(config),
      ElementsAre("no items.path: features genres, year are left out",
                  "no items.path: display columns title, artist are left out",
                  "no items.path: the catalogue is the items of events"));
  EXPECT_THAT(Names(config.items().features()), ElementsAre("length", "album"));
  EXPECT_THAT(config.items().display_columns(), IsEmpty());
  EXPECT_EQ(config.items().catalogue(), v1::ItemsConfig::EVENTS);
  EXPECT_THAT(ValidateTrainerConfig(config), IsOk());
}

TEST(EmptyPathsTest, APathChangesNothing) {
  v1::TrainerConfig config =
      WithItems(std::string(kRest) + "path: 'items.csv'");
  const std::string before = config.DebugString();
  EXPECT_THAT(LeaveOutEmptyPaths(config), IsEmpty());
  EXPECT_EQ(config.DebugString(), before);
}

TEST(EmptyPathsTest, AMappingSetToNothingIsLeftOut) {
  v1::TrainerConfig config = WithItems(
      "features { name: 'artist' source: MAPPING mapping_path: '' } "
      "features { name: 'length' source: EVENTS }");
  EXPECT_THAT(LeaveOutEmptyPaths(config),
              ElementsAre("no mapping_path: feature artist is left out"));
  EXPECT_THAT(Names(config.items().features()), ElementsAre("length"));
}

TEST(EmptyPathsTest, AttributesGoWithTheFileOrTheirFeature) {
  v1::TrainerConfig config =
      WithItems(std::string(kRest) +
                "attributes { name: 'genres' } attributes { name: 'length' } "
                "attributes { name: 'price' kind: NUMERIC } "
                "attributes { name: 'on_sale' source: EVENTS }");
  EXPECT_THAT(LeaveOutEmptyPaths(config),
              Contains("no items.path: attribute price is left out"));
  EXPECT_THAT(Names(config.items().attributes()),
              ElementsAre("length", "on_sale"));
  EXPECT_THAT(ValidateTrainerConfig(config), IsOk());
}

TEST(EmptyPathsTest, AMappingWithoutAPathStaysAMistake) {
  v1::TrainerConfig config =
      WithItems("features { name: 'artist' source: MAPPING }");
  EXPECT_THAT(LeaveOutEmptyPaths(config), IsEmpty());
  EXPECT_THAT(ValidateTrainerConfig(config),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("mapping_path: is required")));
}

}  // namespace
}  // namespace segue
