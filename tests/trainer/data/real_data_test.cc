// The public sets, where they lie beside the checkout: counts that their
// publishers state.
#include <filesystem>
#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "tests/testing/status_matchers.h"
#include "trainer/data/dataset_reader.h"
#include "trainer/data/split.h"

namespace segue {
namespace {

using ::segue::testing::IsOk;

struct RealSet {
  const char* name;
  const char* config;  // beside the paths
  int32_t users;
  int32_t items;
  int64_t events;
};

void PrintTo(const RealSet& set, std::ostream* out) { *out << set.name; }

class RealDataTest : public ::testing::TestWithParam<RealSet> {};

TEST_P(RealDataTest, HasThePublishedCounts) {
  const std::string folder =
      std::string(SEGUE_SHARED_DATA) + "/" + GetParam().name;
  if (!std::filesystem::exists(folder)) {
    GTEST_SKIP() << folder << " is absent";
  }
  v1::TrainerConfig config;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(GetParam().config,
                                                            &config));
  config.mutable_events()->set_path(folder + "/events.csv.gz");
  config.mutable_items()->set_path(folder + "/items.csv.gz");
  const auto dataset = ReadDataset(config, nullptr);
  ASSERT_THAT(dataset, IsOk());
  EXPECT_EQ(dataset->users.size(), GetParam().users);
  EXPECT_EQ(dataset->items.size(), GetParam().items);
  EXPECT_EQ(dataset->log.size(), GetParam().events);
  EXPECT_EQ(dataset->counts.items_without_row, 0);
  for (const FeatureTable& feature : dataset->item_features) {
    if (feature.kind != v1::NUMERIC) {
      EXPECT_GT(feature.values.size(), 0) << feature.name;
    }
  }
  const auto split = SplitEvents(dataset->log, dataset->items.size(), config);
  ASSERT_THAT(split, IsOk());
  EXPECT_EQ(split->test.size(), GetParam().users);
}

INSTANTIATE_TEST_SUITE_P(
    Sets, RealDataTest,
    ::testing::Values(
        RealSet{"ml-1m",
                "items { features { name: 'genres' kind: MULTI_CATEGORICAL } "
                "features { name: 'year' } display_columns: 'title' } "
                "split { kind: LEAVE_ONE_OUT }",
                6040, 3416, 999611},
        RealSet{"beauty",
                "events { time_unit: ORDER } items { features { "
                "name: 'attributes' kind: MULTI_CATEGORICAL } } "
                "split { kind: LEAVE_ONE_OUT }",
                22363, 12101, 198502},
        RealSet{"playlists",
                "events { time_unit: ORDER } "
                "items { features { name: 'artist_id' } "
                "features { name: 'album_id' } "
                "features { name: 'track_length_seconds' kind: NUMERIC } } "
                "split { kind: LEAVE_ONE_OUT }",
                5000, 13536, 115553}),
    [](const auto& info) {
      std::string name = info.param.name;
      for (char& c : name) c = c == '-' ? '_' : c;
      return name;
    });

}  // namespace
}  // namespace segue
