#include "trainer/data/synthetic.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"
#include "tests/trainer/data/dataset_text.h"
#include "tests/trainer/data/table_files.h"
#include "trainer/data/dataset_reader.h"

namespace segue {
namespace {

using ::segue::testing::Config;
using ::segue::testing::IsOk;
using ::segue::testing::ReadBytes;
using ::segue::testing::StatusIs;
using ::segue::testing::TempFolder;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::Not;
using ::testing::SizeIs;

constexpr const char* kFiles[] = {
    "listens.parquet", "multi_event.parquet", "artist_item_mapping.parquet",
    "album_item_mapping.parquet", "items.parquet"};

absl::Status Write(const std::string& folder, int64_t users, int64_t items,
                   int64_t events, uint64_t seed) {
  return WriteSyntheticDataset({.out_folder = folder,
                                .users = users,
                                .items = items,
                                .events = events,
                                .seed = seed},
                               nullptr);
}

// One data set for all tests: none changes it.
class SyntheticTest : public ::testing::Test {
 protected:
  static constexpr int64_t kUsers = 60, kItems = 1000, kListens = 30000;

  static void SetUpTestSuite() {
    folder_ = std::make_unique<TempFolder>();
    ASSERT_THAT(Write(folder_->path(), kUsers, kItems, kListens, 1), IsOk());
    listens_ = std::make_unique<Dataset>(Read("listens.parquet", R"(
        events { weight_column: "played_ratio_pct" weight_scale: 0.01 }
        request_features { name: "is_organic" }
        items {
          path: "@/items.parquet"
          display_columns: ["title", "artist"]
          catalogue: ALL
          features {
            name: "artist_id" kind: MULTI_CATEGORICAL source: MAPPING
            mapping_path: "@/artist_item_mapping.parquet"
          }
          features {
            name: "album_id" kind: MULTI_CATEGORICAL source: MAPPING
            mapping_path: "@/album_item_mapping.parquet"
          }
          features {
            name: "track_length_seconds" kind: NUMERIC source: EVENTS
          }
        })"));
  }
  static void TearDownTestSuite() {
    listens_.reset();
    folder_.reset();
  }

  // Reads a file of events with `more` of the config; '@' is the folder.
  static Dataset Read(const std::string& events, std::string more) {
    for (size_t at; (at = more.find('@')) != std::string::npos;) {
      more.replace(at, 1, folder_->path());
    }
    auto dataset = ReadDataset(Config(*folder_ / events, more), nullptr);
    EXPECT_THAT(dataset, IsOk());
    return dataset.ok() ? *std::move(dataset) : Dataset();
  }

  // Whether two items have a value of the feature in common.
  static bool Share(const FeatureTable& feature, int32_t a, int32_t b) {
    const auto of_a = feature.Values(a), of_b = feature.Values(b);
    return std::find_first_of(of_a.begin(), of_a.end(), of_b.begin(),
                              of_b.end()) != of_a.end();
  }

  // Share of pairs of listens, `apart` from each other within a user, that have
  // a value of the feature in common.
  static double ShareOfPairs(const FeatureTable& feature, int64_t apart) {
    const EventLog& log = listens_->log;
    int64_t pairs = 0, sharing = 0;
    for (int32_t user = 0; user < log.users(); ++user) {
      for (int64_t e = log.user_begins[user] + apart;
           e < log.user_begins[user + 1]; ++e) {
        ++pairs;
        sharing += Share(feature, log.items[e - apart], log.items[e]) ? 1 : 0;
      }
    }
    return static_cast<double>(sharing) / static_cast<double>(pairs);
  }

  // The same for pairs of any two users.
  static double ShareByChance(const FeatureTable& feature) {
    const EventLog& log = listens_->log;
    int64_t sharing = 0;
    const int64_t half = log.size() / 2;
    for (int64_t e = 0; e < half; ++e) {
      sharing += Share(feature, log.items[e], log.items[e + half]) ? 1 : 0;
    }
    return static_cast<double>(sharing) / static_cast<double>(half);
  }

  static std::unique_ptr<TempFolder> folder_;
  static std::unique_ptr<Dataset> listens_;
};
std::unique_ptr<TempFolder> SyntheticTest::folder_;
std::unique_ptr<Dataset> SyntheticTest::listens_;

TEST_F(SyntheticTest, WritesTheFiveFilesAndNothingElse) {
  std::set<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(folder_->path())) {
    names.insert(entry.path().filename());
  }
  EXPECT_EQ(names, std::set<std::string>(std::begin(kFiles), std::end(kFiles)));
}

TEST_F(SyntheticTest, HoldsExactlyAsMuchAsAskedFor) {
  EXPECT_EQ(listens_->log.size(), kListens);
  EXPECT_EQ(listens_->counts.null_rows, 0);
  EXPECT_EQ(listens_->counts.null_weights, 0);
  EXPECT_LE(listens_->users.size(), kUsers);
  EXPECT_GT(listens_->users.size(), kUsers - 10);
  EXPECT_EQ(listens_->items.size(), kItems);
  EXPECT_EQ(listens_->counts.item_rows, kItems);
  EXPECT_EQ(listens_->counts.duplicate_item_rows, 0);
  EXPECT_EQ(listens_->counts.items_without_row, 0);
}

TEST_F(SyntheticTest, EveryItemHasNamesArtistAndAlbum) {
  const auto names = Not(::testing::Contains(""));
  ASSERT_THAT(listens_->display, SizeIs(2));
  EXPECT_THAT(listens_->display[0], names);
  EXPECT_THAT(listens_->display[1], names);
  int with_guest = 0;
  for (int32_t item = 0; item < kItems; ++item) {
    EXPECT_GE(listens_->item_features[0].Values(item).size(), 1u);
    EXPECT_GE(listens_->item_features[1].Values(item).size(), 1u);
    with_guest += listens_->item_features[0].Values(item).size() > 1 ? 1 : 0;
  }
  // The mapping is many-to-many.
  EXPECT_GT(with_guest, 20);
  EXPECT_LT(with_guest, 300);
}

TEST_F(SyntheticTest, TimesAreYambdas) {
  const EventLog& log = listens_->log;
  EXPECT_THAT(log.times, Each(Le(26'000'000u)));
  EXPECT_TRUE(std::all_of(log.times.begin(), log.times.end(),
                          [](uint32_t time) { return time % 5 == 0; }));
  EXPECT_GT(*std::max_element(log.times.begin(), log.times.end()), 25'000'000u);
}

TEST_F(SyntheticTest, ListensSpreadOverTheWholePeriod) {
  std::vector<int64_t> listens(10);
  for (uint32_t time : listens_->log.times) {
    ++listens[std::min(time / 2'600'000u, 9u)];
  }
  EXPECT_THAT(listens, Each(AllOf(Ge(kListens / 20), Le(kListens / 5))));
}

// Users ascending and each one's times ascending: readers need not sort.
TEST_F(SyntheticTest, RowsOfTheFileAreSorted) {
  // All times equal, so that the order is the file's.
  const Dataset as_read = Read("listens.parquet", R"(
      events {
        time_column: "is_organic"
        filters { column: "is_organic" one_of: "1" }
      }
      request_features { name: "time" column: "timestamp" kind: NUMERIC })");
  const std::vector<double>& times = as_read.log.request_features[0].numbers;
  int64_t previous_uid = 0;
  for (int32_t user = 0; user < as_read.log.users(); ++user) {
    // Users have rows in the order of their first event.
    const int64_t uid = std::stoll(std::string(as_read.users.id(user)));
    EXPECT_GT(uid, previous_uid);
    previous_uid = uid;
    EXPECT_TRUE(
        std::is_sorted(times.begin() + as_read.log.user_begins[user],
                       times.begin() + as_read.log.user_begins[user + 1]))
        << uid;
  }
}

TEST_F(SyntheticTest, NextItemSharesArtistAndAlbumFarBeyondChance) {
  const FeatureTable& artist = listens_->item_features[0];
  const FeatureTable& album = listens_->item_features[1];
  EXPECT_GT(ShareOfPairs(artist, 1), 0.4);
  EXPECT_GT(ShareOfPairs(artist, 1), 8 * ShareByChance(artist));
  EXPECT_GT(ShareOfPairs(album, 1), 8 * ShareByChance(album));
  // The session wanders off, the taste stays.
  EXPECT_LT(ShareOfPairs(artist, 8), ShareOfPairs(artist, 1) / 2);
  EXPECT_GT(ShareOfPairs(artist, 100), 1.3 * ShareByChance(artist));
}

TEST_F(SyntheticTest, PopularityHasALongTail) {
  std::vector<int64_t> heard(kItems);
  for (int32_t item : listens_->log.items) ++heard[item];
  std::sort(heard.rbegin(), heard.rend());
  int64_t top_tenth = 0, lower_half = 0;
  for (int64_t i = 0; i < kItems / 10; ++i) top_tenth += heard[i];
  for (int64_t i = kItems / 2; i < kItems; ++i) lower_half += heard[i];
  EXPECT_GT(top_tenth, kListens / 3);
  EXPECT_LT(top_tenth, kListens * 9 / 10);
  EXPECT_LT(lower_half, kListens / 6);
  EXPECT_GT(lower_half, 0);
}

TEST_F(SyntheticTest, FavouritesArePlayedLonger) {
  const EventLog& log = listens_->log;
  double favourite = 0, once = 0;
  int64_t favourites = 0, onces = 0;
  for (int32_t user = 0; user < log.users(); ++user) {
    std::map<int32_t, std::vector<int64_t>> listens;
    for (int64_t e = log.user_begins[user]; e < log.user_begins[user + 1];
         ++e) {
      listens[log.items[e]].push_back(e);
    }
    for (const auto& [item, events] : listens) {
      for (int64_t e : events) {
        if (events.size() >= 4) favourite += log.weights[e], ++favourites;
        if (events.size() == 1) once += log.weights[e], ++onces;
      }
    }
  }
  ASSERT_GT(favourites, 1000);
  ASSERT_GT(onces, 500);
  EXPECT_GT(favourite / favourites, once / onces + 0.05);
}

TEST_F(SyntheticTest, RecommendationsAreSkippedMoreOften) {
  const FeatureTable& organic = listens_->log.request_features[0];
  double played[2] = {0, 0};
  int64_t listens[2] = {0, 0};
  for (int64_t e = 0; e < listens_->log.size(); ++e) {
    ASSERT_EQ(organic.Values(e).size(), 1u);
    const int chosen = organic.values.id(organic.Values(e)[0]) == "1" ? 1 : 0;
    played[chosen] += listens_->log.weights[e];
    ++listens[chosen];
  }
  EXPECT_GT(listens[0], kListens / 20);
  EXPECT_GT(listens[1], kListens / 2);
  EXPECT_GT(played[1] / listens[1], played[0] / listens[0] + 0.1);
}

TEST_F(SyntheticTest, LengthsArePlausibleAndOnePerItem) {
  const Dataset by_length =
      Read("listens.parquet",
           "items { features { name: 'track_length_seconds' source: EVENTS "
           "kind: MULTI_CATEGORICAL } }");
  for (int32_t item = 0; item < by_length.items.size(); ++item) {
    const auto lengths = by_length.item_features[0].Values(item);
    ASSERT_EQ(lengths.size(), 1u);
    const int length = std::stoi(
        std::string(by_length.item_features[0].values.id(lengths[0])));
    EXPECT_THAT(length, AllOf(Ge(45), Le(900)));
  }
}

TEST_F(SyntheticTest, MultiEventHoldsTheListensAndOtherEvents) {
  std::map<std::string, int64_t> events;
  for (const char* type : {"listen", "like", "dislike", "unlike"}) {
    events[type] =
        Read("multi_event.parquet",
             absl::StrCat("events { filters { column: 'event_type' one_of: '",
                          type, "' } }"))
            .log.size();
  }
  EXPECT_EQ(events["listen"], kListens);
  EXPECT_GT(events["like"], kListens / 100);
  EXPECT_LT(events["like"], kListens / 10);
  EXPECT_GT(events["dislike"], 0);
  EXPECT_LT(events["dislike"], events["like"]);
  EXPECT_GT(events["unlike"], 0);
  const Dataset all = Read("multi_event.parquet",
                           "events { weight_column: 'played_ratio_pct' }");
  // Only listens are played.
  EXPECT_EQ(all.counts.null_weights, all.log.size() - kListens);
  EXPECT_EQ(all.users.size(), listens_->users.size());
}

TEST_F(SyntheticTest, TheSeedDecidesEveryByte) {
  const TempFolder again, other;
  ASSERT_THAT(Write(again.path(), 20, 100, 500, 7), IsOk());
  const TempFolder first;
  ASSERT_THAT(Write(first.path(), 20, 100, 500, 7), IsOk());
  ASSERT_THAT(Write(other.path(), 20, 100, 500, 8), IsOk());
  for (const char* name : kFiles) {
    EXPECT_EQ(ReadBytes(first / name), ReadBytes(again / name)) << name;
    EXPECT_NE(ReadBytes(first / name), ReadBytes(other / name)) << name;
  }
}

TEST_F(SyntheticTest, SmallestSetsAreWhole) {
  const struct {
    int64_t users, items, events;
  } sizes[] = {{1, 1, 1}, {5, 1, 20}, {1, 50, 3}, {30, 10, 5}};
  for (const auto& size : sizes) {
    const TempFolder folder;
    ASSERT_THAT(Write(folder.path(), size.users, size.items, size.events, 3),
                IsOk());
    const auto dataset =
        ReadDataset(Config(folder / "listens.parquet", ""), nullptr);
    ASSERT_THAT(dataset, IsOk());
    EXPECT_EQ(dataset->log.size(), size.events);
  }
}

TEST_F(SyntheticTest, SizesOutOfRangeAreRefused) {
  const TempFolder folder;
  for (const auto& [users, items, events] :
       std::vector<std::tuple<int64_t, int64_t, int64_t>>{
           {0, 1, 1}, {1, 0, 1}, {1, 1, 0}, {-1, 1, 1}, {1, 1LL << 40, 1}}) {
    EXPECT_THAT(Write(folder.path(), users, items, events, 1),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("synthetic data")));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace segue
