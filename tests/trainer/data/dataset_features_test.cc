// Features of items, users and requests, and what people are shown.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"
#include "tests/trainer/data/dataset_text.h"
#include "tests/trainer/data/table_files.h"
#include "trainer/data/dataset_reader.h"

namespace segue {
namespace {

using ::segue::testing::Config;
using ::segue::testing::FeatureLines;
using ::segue::testing::Id;
using ::segue::testing::IntegerLists;
using ::segue::testing::Integers;
using ::segue::testing::IsOk;
using ::segue::testing::TempFolder;
using ::segue::testing::WriteParquet;
using ::segue::testing::WriteText;
using ::testing::ElementsAre;

class DatasetFeaturesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    WriteText(folder_ / "events.csv",
              "uid,timestamp,item_id,length,device\n"
              "1,1,a,,phone\n"
              "1,2,b,200,\n"
              "2,1,a,180,radio\n"
              "2,2,a,999,phone\n");
    WriteText(folder_ / "items.csv",
              "item_id,title,year,genres\n"
              "c,Three,1999,rock\n"
              "b,Two,,pop|rock|pop\n"
              "b,Second two,2001,jazz\n"
              ",Nobody,2002,jazz\n");
  }

  // Reads the events with `more` of the config; '@' stands for the folder.
  Dataset Read(std::string more) {
    for (size_t at; (at = more.find('@')) != std::string::npos;) {
      more.replace(at, 1, folder_.path());
    }
    auto dataset = ReadDataset(Config(folder_ / "events.csv", more), nullptr);
    EXPECT_THAT(dataset, IsOk());
    return dataset.ok() ? *std::move(dataset) : Dataset();
  }

  TempFolder folder_;
};

TEST_F(DatasetFeaturesTest, ItemsFileGivesEveryKind) {
  const Dataset dataset = Read(
      "items { path: '@/items.csv' "
      "features { name: 'year' kind: NUMERIC } "
      "features { name: 'styles' column: 'genres' kind: MULTI_CATEGORICAL } "
      "features { name: 'whole' column: 'genres' } }");
  ASSERT_EQ(dataset.item_features.size(), 3u);
  EXPECT_THAT(FeatureLines(dataset.items, dataset.item_features[0]),
              ElementsAre("a=nan", "b=nan"));
  EXPECT_EQ(dataset.item_features[1].name, "styles");
  EXPECT_THAT(FeatureLines(dataset.items, dataset.item_features[1]),
              ElementsAre("a=", "b=pop,rock"));
  EXPECT_THAT(FeatureLines(dataset.items, dataset.item_features[2]),
              ElementsAre("a=", "b=pop|rock|pop"));
}

TEST_F(DatasetFeaturesTest, AttributesAreReadLikeFeaturesButForThoseThatAre) {
  const Dataset dataset = Read(
      "items { path: '@/items.csv' features { name: 'year' kind: NUMERIC } "
      "attributes { name: 'year' } "
      "attributes { name: 'genres' kind: MULTI_CATEGORICAL } "
      "attributes { name: 'length' kind: NUMERIC source: EVENTS } }");
  EXPECT_EQ(dataset.item_features.size(), 1u);
  ASSERT_EQ(dataset.item_attributes.size(), 2u);
  EXPECT_THAT(FeatureLines(dataset.items, dataset.item_attributes[0]),
              ElementsAre("a=", "b=pop,rock"));
  EXPECT_THAT(FeatureLines(dataset.items, dataset.item_attributes[1]),
              ElementsAre("a=180", "b=200"));
}

TEST_F(DatasetFeaturesTest, NumbersKeepEverySecondOfATime) {
  WriteText(folder_ / "items.csv",
            "item_id,released\na,1700000001\nb,1700000002\n");
  const Dataset dataset = Read(
      "items { path: '@/items.csv' "
      "attributes { name: 'released' kind: NUMERIC } }");
  EXPECT_THAT(dataset.item_attributes[0].numbers,
              ElementsAre(1700000001, 1700000002));
}

TEST_F(DatasetFeaturesTest, RowsOfTheItemsFileAreCounted) {
  const Dataset dataset = Read("items { path: '@/items.csv' }");
  EXPECT_EQ(dataset.items.size(), 2);
  EXPECT_EQ(dataset.counts.item_rows, 4);
  EXPECT_EQ(dataset.counts.item_rows_unused, 2);
  EXPECT_EQ(dataset.counts.duplicate_item_rows, 1);
  EXPECT_EQ(dataset.counts.items_without_row, 1);
}

TEST_F(DatasetFeaturesTest, WholeCatalogueFollowsTheItemsOfEvents) {
  const Dataset dataset = Read(
      "items { path: '@/items.csv' catalogue: ALL display_columns: 'title' "
      "features { name: 'genres' kind: MULTI_CATEGORICAL } "
      "features { name: 'length' kind: NUMERIC source: EVENTS } }");
  ASSERT_EQ(dataset.items.size(), 3);
  EXPECT_EQ(Id(dataset.items, 2), "c");
  EXPECT_THAT(FeatureLines(dataset.items, dataset.item_features[0]),
              ElementsAre("a=", "b=pop,rock", "c=rock"));
  EXPECT_THAT(FeatureLines(dataset.items, dataset.item_features[1]),
              ElementsAre("a=180", "b=200", "c=nan"));
  EXPECT_THAT(dataset.display, ElementsAre(ElementsAre("", "Two", "Three")));
  EXPECT_EQ(dataset.log.users(), 2);
}

TEST_F(DatasetFeaturesTest, DisplayColumnsStandInTheConfigsOrder) {
  const Dataset dataset = Read(
      "items { path: '@/items.csv' display_columns: 'genres' "
      "display_columns: 'title' }");
  EXPECT_THAT(dataset.display, ElementsAre(ElementsAre("", "pop|rock|pop"),
                                           ElementsAre("", "Two")));
}

TEST_F(DatasetFeaturesTest, NumbersCanBeShown) {
  WriteParquet(folder_ / "items.parquet",
               {{"item_id", testing::Texts{"a", "b"}},
                {"year", Integers{1999, std::nullopt}, "uint16"}});
  const Dataset dataset =
      Read("items { path: '@/items.parquet' display_columns: 'year' }");
  EXPECT_THAT(dataset.display, ElementsAre(ElementsAre("1999", "")));
}

TEST_F(DatasetFeaturesTest, FirstValueSeenInEventsCounts) {
  const Dataset dataset = Read(
      "items { features { name: 'length' kind: NUMERIC source: EVENTS } }");
  EXPECT_THAT(FeatureLines(dataset.items, dataset.item_features[0]),
              ElementsAre("a=180", "b=200"));
}

TEST_F(DatasetFeaturesTest, MappingIsManyToMany) {
  WriteText(folder_ / "map.csv",
            "artist_id,item_id\n31,a\n32,a\n31,b\n31,a\n40,c\n");
  const Dataset dataset = Read(
      "items { features { name: 'artist' column: 'artist_id' source: MAPPING "
      "kind: MULTI_CATEGORICAL mapping_path: '@/map.csv' } }");
  EXPECT_THAT(FeatureLines(dataset.items, dataset.item_features[0]),
              ElementsAre("a=31,32", "b=31"));
  // 40 is of no item that can be an answer.
  EXPECT_EQ(dataset.item_features[0].values.size(), 2);
}

TEST_F(DatasetFeaturesTest, ListsOfParquetAreValues) {
  WriteParquet(folder_ / "items.parquet",
               {{"item_id", testing::Texts{"b", "a", "z"}},
                {"tags", IntegerLists{{5, 6}, {}, {7}}}});
  const Dataset dataset = Read(
      "items { path: '@/items.parquet' "
      "features { name: 'tags' kind: MULTI_CATEGORICAL } }");
  EXPECT_THAT(FeatureLines(dataset.items, dataset.item_features[0]),
              ElementsAre("a=", "b=5,6"));
  EXPECT_EQ(dataset.item_features[0].values.size(), 2);
}

TEST_F(DatasetFeaturesTest, FeaturesFollowItemsWhenUsersAreDropped) {
  WriteText(folder_ / "events.csv",
            "uid,timestamp,item_id,length,device\n"
            "9,1,z,100,phone\n1,1,a,200,phone\n1,2,b,300,radio\n");
  const Dataset dataset = Read(
      "events { min_events_per_user: 2 } request_features { name: 'device' } "
      "items { features { name: 'length' kind: NUMERIC source: EVENTS } "
      "features { name: 'text' column: 'length' source: EVENTS } }");
  EXPECT_THAT(FeatureLines(dataset.items, dataset.item_features[0]),
              ElementsAre("a=200", "b=300"));
  EXPECT_THAT(FeatureLines(dataset.items, dataset.item_features[1]),
              ElementsAre("a=200", "b=300"));
  EXPECT_EQ(dataset.item_features[1].values.size(), 2);
}

TEST_F(DatasetFeaturesTest, RequestFeaturesFollowTheirEvents) {
  WriteText(folder_ / "events.csv",
            "uid,timestamp,item_id,device,volume\n"
            "1,9,a,phone,0.5\n2,1,a,radio,\n1,3,b,,0.25\n");
  const Dataset dataset = Read(
      "request_features { name: 'device' } "
      "request_features { name: 'loudness' column: 'volume' kind: NUMERIC }");
  ASSERT_EQ(dataset.log.request_features.size(), 2u);
  const FeatureTable& device = dataset.log.request_features[0];
  // Events are sorted: user 1 at 3 and 9, user 2 at 1.
  EXPECT_THAT(device.Values(0), ElementsAre());
  ASSERT_EQ(device.Values(1).size(), 1u);
  EXPECT_EQ(Id(device.values, device.Values(1)[0]), "phone");
  EXPECT_EQ(Id(device.values, device.Values(2)[0]), "radio");
  EXPECT_THAT(dataset.log.request_features[1].numbers,
              ElementsAre(0.25f, 0.5f, ::testing::IsNan()));
}

TEST_F(DatasetFeaturesTest, UsersFileGivesTheirFeatures) {
  WriteText(folder_ / "users.csv",
            "uid,country,age\n2,DE,33\n5,FR,20\n2,AT,34\n");
  const Dataset dataset = Read(
      "users { path: '@/users.csv' features { name: 'country' } "
      "features { name: 'age' kind: NUMERIC } }");
  EXPECT_THAT(FeatureLines(dataset.users, dataset.user_features[0]),
              ElementsAre("1=", "2=DE"));
  EXPECT_THAT(FeatureLines(dataset.users, dataset.user_features[1]),
              ElementsAre("1=nan", "2=33"));
  EXPECT_EQ(dataset.counts.user_rows, 3);
  EXPECT_EQ(dataset.counts.user_rows_unused, 1);
  EXPECT_EQ(dataset.counts.duplicate_user_rows, 1);
  EXPECT_EQ(dataset.counts.users_without_row, 1);
}

TEST_F(DatasetFeaturesTest, SequentialColumnsOfEventsAreFlattenedTogether) {
  WriteParquet(
      folder_ / "seq.parquet",
      {{"uid", Integers{1, 2}},
       {"timestamp", IntegerLists{{5, 6}, {7}}, "large_list<item: int64>"},
       {"item_id", IntegerLists{{1, 2}, {1}}},
       {"length", IntegerLists{{100, 200}, {300}}},
       {"country", testing::Texts{"DE", "FR"}}});
  const auto dataset = ReadDataset(
      Config(folder_ / "seq.parquet",
             "events { weight_column: 'length' weight_scale: 0.001 } "
             "request_features { name: 'country' } items { features { "
             "name: 'length' source: EVENTS kind: MULTI_CATEGORICAL } }"),
      nullptr);
  ASSERT_THAT(dataset, IsOk());
  EXPECT_THAT(dataset->log.weights, ElementsAre(0.1f, 0.2f, 0.3f));
  EXPECT_THAT(dataset->log.request_features[0].value_rows,
              ElementsAre(0, 0, 1));
  EXPECT_THAT(FeatureLines(dataset->items, dataset->item_features[0]),
              ElementsAre("1=100", "2=200"));
}

}  // namespace
}  // namespace segue
