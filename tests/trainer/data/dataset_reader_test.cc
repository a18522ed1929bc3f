// What is read of good files.
#include "trainer/data/dataset_reader.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"
#include "tests/trainer/data/dataset_text.h"
#include "tests/trainer/data/table_files.h"

namespace segue {
namespace {

using ::segue::testing::Config;
using ::segue::testing::EventLines;
using ::segue::testing::IntegerLists;
using ::segue::testing::Integers;
using ::segue::testing::IsOk;
using ::segue::testing::Reals;
using ::segue::testing::TempFolder;
using ::segue::testing::Texts;
using ::segue::testing::WriteGzip;
using ::segue::testing::WriteParquet;
using ::segue::testing::WriteText;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

constexpr char kCsv[] =
    "uid,timestamp,item_id\n"
    "7,30,12\n"
    "8,5,11\n"
    "7,10,11\n"
    "7,20,13\n"
    "8,5,12\n";

class DatasetReaderTest : public ::testing::Test {
 protected:
  // Reads events.path with `more` of the config.
  Dataset Read(const std::string& path, const std::string& more = "") {
    auto dataset = ReadDataset(Config(path, more), nullptr);
    EXPECT_THAT(dataset, IsOk());
    return dataset.ok() ? *std::move(dataset) : Dataset();
  }

  TempFolder folder_;
};

TEST_F(DatasetReaderTest, CsvIsSortedByUserAndTime) {
  WriteText(folder_ / "events.csv", kCsv);
  const Dataset dataset = Read(folder_ / "events.csv");
  EXPECT_THAT(EventLines(dataset),
              ElementsAre("7: 11@10 13@20 12@30", "8: 11@5 12@5"));
  EXPECT_EQ(dataset.counts.event_rows, 5);
  EXPECT_THAT(dataset.log.weights, ElementsAre());
}

TEST_F(DatasetReaderTest, TheLogKnowsWhatItsTimesAre) {
  WriteText(folder_ / "events.csv", kCsv);
  EXPECT_EQ(Read(folder_ / "events.csv").log.time_unit,
            v1::EventsConfig::SECONDS);
  EXPECT_EQ(
      Read(folder_ / "events.csv", "events { time_unit: ORDER }").log.time_unit,
      v1::EventsConfig::ORDER);
}

TEST_F(DatasetReaderTest, RowsComeInTheOrderOfTheFirstEvent) {
  WriteText(folder_ / "events.csv", kCsv);
  const Dataset dataset = Read(folder_ / "events.csv");
  EXPECT_EQ(dataset.users.id(0), "7");
  EXPECT_EQ(dataset.items.id(0), "12");
  EXPECT_EQ(dataset.items.id(1), "11");
  EXPECT_EQ(dataset.items.id(2), "13");
}

TEST_F(DatasetReaderTest, EveryFormatGivesTheSameEvents) {
  const Integers uid = {7, 8, 7, 7, 8};
  const Integers time = {30, 5, 10, 20, 5};
  const Integers item = {12, 11, 11, 13, 12};
  WriteText(folder_ / "a.csv", kCsv);
  WriteGzip(folder_ / "b.csv.gz", kCsv);
  WriteParquet(folder_ / "c.parquet", {{"item_id", item, "uint32"},
                                       {"uid", uid, "uint32"},
                                       {"timestamp", time, "uint32"}});
  WriteParquet(
      folder_ / "d.parquet",
      {{"uid", Texts{"7", "8", "7", "7", "8"}, "dictionary"},
       {"timestamp", time, "int32"},
       {"item_id", Texts{"12", "11", "11", "13", "12"}, "large_string"}});
  WriteParquet(folder_ / "e.parquet",
               {{"uid", Integers{7, 8}},
                {"timestamp", IntegerLists{{30, 10, 20}, {5, 5}}},
                {"item_id", IntegerLists{{12, 11, 13}, {11, 12}}}});
  for (const char* name :
       {"a.csv", "b.csv.gz", "c.parquet", "d.parquet", "e.parquet"}) {
    EXPECT_THAT(EventLines(Read(folder_ / name)),
                ElementsAre("7: 11@10 13@20 12@30", "8: 11@5 12@5"))
        << name;
  }
}

TEST_F(DatasetReaderTest, AnyOrderOfRowsGivesTheSameHistories) {
  std::vector<std::string> rows = {"7,30,12", "8,5,11", "7,10,11", "7,20,13",
                                   "8,6,12"};
  std::sort(rows.begin(), rows.end());
  int orders = 0;
  do {
    WriteText(folder_ / "events.csv",
              absl::StrCat("uid,timestamp,item_id\n", absl::StrJoin(rows, "\n"),
                           "\n"));
    ASSERT_THAT(EventLines(Read(folder_ / "events.csv")),
                UnorderedElementsAre("7: 11@10 13@20 12@30", "8: 11@5 12@6"));
  } while (std::next_permutation(rows.begin(), rows.end()) && ++orders < 20);
}

TEST_F(DatasetReaderTest, TiesKeepTheOrderOfPathsAndRows) {
  std::filesystem::create_directory(folder_ / "events");
  WriteText(folder_ / "events/b.csv", "uid,timestamp,item_id\n1,5,3\n1,5,4\n");
  WriteText(folder_ / "events/a.csv", "item_id,uid,timestamp\n1,1,5\n2,1,5\n");
  WriteText(folder_ / "events/_SUCCESS", "");
  WriteText(folder_ / "events/.a.csv.crc", "x");
  EXPECT_THAT(EventLines(Read(folder_ / "events")),
              ElementsAre("1: 1@5 2@5 3@5 4@5"));
}

TEST_F(DatasetReaderTest, OtherColumnsAreNotRead) {
  WriteText(folder_ / "events.csv",
            "uid,junk,timestamp,item_id\n1,\xff\xfe,5,3\n");
  EXPECT_THAT(EventLines(Read(folder_ / "events.csv")), ElementsAre("1: 3@5"));
}

TEST_F(DatasetReaderTest, TextIdsStayAsTheyAre) {
  WriteText(folder_ / "events.csv",
            "uid,timestamp,item_id\n007,1,1e3\n7,2,\"a,b\"\nNA,3,null\n");
  EXPECT_THAT(EventLines(Read(folder_ / "events.csv")),
              ElementsAre("007: 1e3@1", "7: a,b@2", "NA: null@3"));
}

TEST_F(DatasetReaderTest, AnyIntegerIsAnId) {
  WriteParquet(folder_ / "events.parquet",
               {{"uid", Integers{-3, 0}},
                {"timestamp", Integers{1, 2}},
                {"item_id", Integers{-1, 5}, "uint64"}});
  EXPECT_THAT(EventLines(Read(folder_ / "events.parquet")),
              ElementsAre("-3: 18446744073709551615@1", "0: 5@2"));
}

TEST_F(DatasetReaderTest, MomentsAreSeconds) {
  WriteParquet(folder_ / "events.parquet",
               {{"uid", Integers{1}},
                {"timestamp", Integers{1'700'000'000'900}, "timestamp[ms]"},
                {"item_id", Integers{2}}});
  EXPECT_THAT(EventLines(Read(folder_ / "events.parquet")),
              ElementsAre("1: 2@1700000000"));
}

TEST_F(DatasetReaderTest, RowsWithoutUserItemOrTimeAreCounted) {
  WriteText(folder_ / "events.csv",
            "uid,timestamp,item_id\n1,5,3\n,6,3\n1,,3\n1,7,\n1,8,4\n");
  const Dataset dataset = Read(folder_ / "events.csv");
  EXPECT_THAT(EventLines(dataset), ElementsAre("1: 3@5 4@8"));
  EXPECT_EQ(dataset.counts.null_rows, 3);
}

TEST_F(DatasetReaderTest, DuplicatesAreKeptAndCounted) {
  WriteText(folder_ / "events.csv",
            "uid,timestamp,item_id\n1,5,3\n1,5,4\n1,5,3\n1,6,3\n2,5,3\n");
  const Dataset dataset = Read(folder_ / "events.csv");
  EXPECT_EQ(dataset.log.size(), 5);
  EXPECT_EQ(dataset.counts.duplicate_events, 1);
}

TEST_F(DatasetReaderTest, WeightsAreScaledAndClipped) {
  WriteParquet(folder_ / "events.parquet",
               {{"uid", Integers{1, 1, 1, 1, 1}},
                {"timestamp", Integers{1, 2, 3, 4, 5}},
                {"item_id", Integers{5, 6, 7, 8, 9}},
                {"played", Reals{50, 250, std::nullopt, 0, NAN}}});
  const Dataset dataset =
      Read(folder_ / "events.parquet",
           "events { weight_column: 'played' weight_scale: 0.01 }");
  EXPECT_THAT(dataset.log.weights, ElementsAre(0.5f, 1.0f, 1.0f, 0.0f, 1.0f));
  EXPECT_EQ(dataset.counts.null_weights, 2);
}

TEST_F(DatasetReaderTest, EveryFilterMustHold) {
  WriteParquet(
      folder_ / "events.parquet",
      {{"uid", Integers{1, 1, 2, 1, 1, 1}},
       {"timestamp", Integers{1, 2, 3, 4, 5, 6}},
       {"item_id", Integers{11, 12, 13, 14, 15, 16}},
       {"type", Texts{"listen", "like", "skip", "listen", "listen", "listen"}},
       {"organic", Integers{1, 1, 1, 0, 1, 1}, "uint8"},
       {"ratio", Reals{50.0, 90.0, 90.0, 90.0, 49.5, std::nullopt}}});
  const Dataset dataset = Read(
      folder_ / "events.parquet",
      "events { filters { column: 'type' one_of: 'listen' one_of: 'like' } "
      "filters { column: 'organic' one_of: '1' } "
      "filters { column: 'ratio' at_least: 50 } "
      "filters { column: 'ratio' at_most: 95 } }");
  EXPECT_THAT(EventLines(dataset), ElementsAre("1: 11@1 12@2"));
  EXPECT_EQ(dataset.counts.filtered_rows, 4);
  // Events that do not count bring no ids.
  EXPECT_EQ(dataset.users.size(), 1);
  EXPECT_EQ(dataset.items.size(), 2);
}

TEST_F(DatasetReaderTest, UsersWithFewEventsGoAndRowsCloseUp) {
  WriteText(folder_ / "events.csv",
            "uid,timestamp,item_id\n9,1,50\n1,1,3\n9,2,51\n1,2,50\n1,3,4\n");
  const Dataset dataset =
      Read(folder_ / "events.csv", "events { min_events_per_user: 3 }");
  EXPECT_THAT(EventLines(dataset), ElementsAre("1: 3@1 50@2 4@3"));
  EXPECT_EQ(dataset.items.size(), 3);
  EXPECT_FALSE(dataset.items.Find("51").has_value());
  EXPECT_EQ(dataset.counts.dropped_users, 1);
  EXPECT_EQ(dataset.counts.dropped_events, 2);
}

TEST_F(DatasetReaderTest, UnknownBucketsAreTheConfigs) {
  WriteText(folder_ / "events.csv", kCsv);
  const Dataset dataset =
      Read(folder_ / "events.csv",
           "users { unknown_buckets: 4 } items { unknown_buckets: 3 }");
  EXPECT_EQ(dataset.users.rows(), 2 + 4);
  EXPECT_EQ(dataset.items.rows(), 3 + 3);
}

TEST_F(DatasetReaderTest, ProgressNamesFilesAndTotals) {
  WriteText(folder_ / "events.csv", kCsv);
  std::vector<std::string> lines;
  ASSERT_THAT(
      ReadDataset(Config(folder_ / "events.csv", ""),
                  [&](absl::string_view line) { lines.emplace_back(line); }),
      IsOk());
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines.back(), "5 events of 2 users and 3 items");
}

}  // namespace
}  // namespace segue
