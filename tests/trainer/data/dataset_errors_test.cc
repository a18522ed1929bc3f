// Bad input: one clear error that names file, column, row and what was
// expected.
#include <filesystem>
#include <string>
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
using ::segue::testing::IntegerLists;
using ::segue::testing::Integers;
using ::segue::testing::Reals;
using ::segue::testing::StatusIs;
using ::segue::testing::TempFolder;
using ::segue::testing::Texts;
using ::segue::testing::WriteGzip;
using ::segue::testing::WriteParquet;
using ::segue::testing::WriteText;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

struct BadCsv {
  const char* name;
  std::string text;
  absl::StatusCode code;
  std::vector<std::string> says;
  std::string config = "";
};

void PrintTo(const BadCsv& bad, std::ostream* out) { *out << bad.name; }

class BadCsvTest : public ::testing::TestWithParam<BadCsv> {};

TEST_P(BadCsvTest, IsRefusedWithFileAndReason) {
  TempFolder folder;
  const std::string path = folder / "events.csv";
  WriteText(path, GetParam().text);
  const auto status =
      ReadDataset(Config(path, GetParam().config), nullptr).status();
  EXPECT_THAT(status, StatusIs(GetParam().code, HasSubstr("events.csv")));
  for (const std::string& part : GetParam().says) {
    EXPECT_THAT(status, StatusIs(GetParam().code, HasSubstr(part)));
  }
}

const std::string kHeader = "uid,timestamp,item_id\n";

INSTANTIATE_TEST_SUITE_P(
    Rows, BadCsvTest,
    ::testing::Values(
        BadCsv{"EmptyFile", "", kInvalid, {"empty", "uid, item_id, timestamp"}},
        BadCsv{"HeaderOnly", kHeader, kInvalid, {"no event is left of 0 rows"}},
        BadCsv{"MissingColumn",
               "uid,time,item_id\n1,2,3\n",
               absl::StatusCode::kNotFound,
               {"column 'timestamp' is missing", "uid, time, item_id"}},
        BadCsv{"ColumnTwice",
               "uid,uid,timestamp,item_id\n1,1,2,3\n",
               kInvalid,
               {"column 'uid' is there more than once"}},
        BadCsv{"WordForTime",
               kHeader + "1,5,1\n1,noon,2\n",
               kInvalid,
               {"column 'timestamp', row 3", "an integer", "'noon'"}},
        BadCsv{"FractionForTime",
               kHeader + "1,5.5,1\n",
               kInvalid,
               {"column 'timestamp', row 2", "'5.5'"}},
        BadCsv{"NegativeTime",
               kHeader + "1,-5,1\n",
               kInvalid,
               {"column 'timestamp', row 2", "-5", "0 to 4294967295"}},
        BadCsv{"Milliseconds",
               kHeader + "1,1700000000000,1\n",
               kInvalid,
               {"column 'timestamp', row 2", "1700000000000", "milliseconds?"}},
        BadCsv{"TooFewCells",
               kHeader + "1,5,1\n1,6\n",
               kInvalid,
               {"Expected 3 columns, got 2"}},
        BadCsv{"IdNotUtf8",
               kHeader + "1,5,1\n1,6,\xff\n",
               kInvalid,
               {"column 'item_id', row 3", "UTF-8"}},
        BadCsv{"IdTooLong",
               kHeader + "1,5," + std::string(65536, 'x') + "\n",
               kInvalid,
               {"column 'item_id', row 2", "65535", "65536"}},
        BadCsv{"WordForWeight",
               "uid,timestamp,item_id,w\n1,5,1,0.5\n1,6,1,much\n",
               kInvalid,
               {"column 'w', row 3", "a finite number", "'much'"},
               "events { weight_column: 'w' }"},
        BadCsv{"InfiniteWeight",
               "uid,timestamp,item_id,w\n1,5,1,inf\n",
               kInvalid,
               {"column 'w', row 2", "a finite number", "inf"},
               "events { weight_column: 'w' }"},
        BadCsv{"NegativeWeight",
               "uid,timestamp,item_id,w\n1,5,1,0.5\n1,6,1,-0.25\n",
               kInvalid,
               {"column 'w', row 3", "a weight of at least 0", "-0.25"},
               "events { weight_column: 'w' }"},
        BadCsv{"WeightOfAnotherSet",
               kHeader + "1,5,1\n",
               absl::StatusCode::kNotFound,
               {"column 'w' is missing", "uid, timestamp, item_id"},
               "events { weight_column: 'w' }"},
        BadCsv{"NoTargets",
               kHeader + "1,5,1\n1,6,2\n",
               kInvalid,
               {"events.target_filters hold for none of the 2 events"},
               "events { target_filters { column: 'item_id' one_of: '9' } }"},
        BadCsv{"NothingButDislikes",
               kHeader + "1,5,1\n1,6,2\n",
               kInvalid,
               {"no event is left of 2 rows", "2 are dislikes"},
               "events { negative_filters { column: 'uid' one_of: '1' } }"},
        BadCsv{"AllFilteredOut",
               kHeader + "1,5,1\n1,6,2\n",
               kInvalid,
               {"no event is left of 2 rows", "2 were filtered out"},
               "events { filters { column: 'item_id' one_of: '9' } }"},
        BadCsv{"AllUsersDropped",
               kHeader + "1,5,1\n2,6,2\n",
               kInvalid,
               {"2 are of users with fewer than 3 events"},
               "events { min_events_per_user: 3 }"}),
    [](const auto& info) { return info.param.name; });

class DatasetErrorsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    WriteText(folder_ / "events.csv", kHeader + "1,5,1\n1,6,2\n");
  }

  // Reads events.path with `more` of the config; '@' stands for the folder.
  absl::Status Read(const std::string& events, std::string more = "") {
    for (size_t at; (at = more.find('@')) != std::string::npos;) {
      more.replace(at, 1, folder_.path());
    }
    return ReadDataset(Config(folder_ / events, more), nullptr).status();
  }

  TempFolder folder_;
};

TEST_F(DatasetErrorsTest, MissingFileIsNamed) {
  EXPECT_THAT(Read("nothing.csv"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("nothing.csv")));
}

TEST_F(DatasetErrorsTest, EmptyFolderIsNamed) {
  std::filesystem::create_directory(folder_ / "empty");
  EXPECT_THAT(Read("empty"), StatusIs(absl::StatusCode::kNotFound,
                                      HasSubstr("holds no .parquet")));
}

TEST_F(DatasetErrorsTest, UnsetPathIsNamed) {
  EXPECT_THAT(ReadDataset(v1::TrainerConfig(), nullptr),
              StatusIs(kInvalid, HasSubstr("events.path is not set")));
}

TEST_F(DatasetErrorsTest, OtherFormatsAreRefused) {
  WriteText(folder_ / "events.json", "{}");
  EXPECT_THAT(Read("events.json"),
              StatusIs(kInvalid,
                       AllOf(HasSubstr("events.json"), HasSubstr(".csv.gz"))));
}

TEST_F(DatasetErrorsTest, TruncatedGzipIsDataLoss) {
  std::string rows = kHeader;
  for (int i = 0; i < 2000; ++i) {
    absl::StrAppend(&rows, i * 7919 % 1009, ",", i, ",", i * 104729 % 997,
                    "\n");
  }
  WriteGzip(folder_ / "whole.csv.gz", rows);
  const std::string whole = testing::ReadBytes(folder_ / "whole.csv.gz");
  for (const size_t bytes : {size_t{5}, whole.size() / 2, whole.size() - 1}) {
    WriteText(folder_ / "cut.csv.gz", whole.substr(0, bytes));
    EXPECT_THAT(Read("cut.csv.gz"),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("cut.csv.gz")))
        << bytes << " of " << whole.size();
  }
}

TEST_F(DatasetErrorsTest, PlainTextIsNoGzip) {
  WriteText(folder_ / "plain.csv.gz", kHeader + "1,5,1\n");
  EXPECT_THAT(Read("plain.csv.gz"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("plain.csv.gz")));
}

TEST_F(DatasetErrorsTest, TruncatedParquetIsDataLoss) {
  WriteParquet(folder_ / "whole.parquet", {{"uid", Integers{1, 1, 2}},
                                           {"timestamp", Integers{1, 2, 3}},
                                           {"item_id", Integers{1, 2, 3}}});
  const std::string whole = testing::ReadBytes(folder_ / "whole.parquet");
  for (size_t bytes = 0; bytes < whole.size(); bytes += 97) {
    WriteText(folder_ / "cut.parquet", whole.substr(0, bytes));
    EXPECT_THAT(Read("cut.parquet"),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("cut.parquet")))
        << bytes;
  }
}

TEST_F(DatasetErrorsTest, DamagedParquetIsAnErrorAndNoCrash) {
  WriteParquet(folder_ / "whole.parquet", {{"uid", Integers{1, 1, 2}},
                                           {"timestamp", Integers{1, 2, 3}},
                                           {"item_id", Integers{1, 2, 3}}});
  std::string bytes = testing::ReadBytes(folder_ / "whole.parquet");
  for (size_t i = 4; i < 60; ++i) bytes[i] = '\xff';
  WriteText(folder_ / "bad.parquet", bytes);
  EXPECT_THAT(Read("bad.parquet"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("bad.parquet")));
}

TEST_F(DatasetErrorsTest, WrongTypeOfParquetIsNamed) {
  WriteParquet(folder_ / "events.parquet", {{"uid", Reals{1.5}},
                                            {"timestamp", Integers{1}},
                                            {"item_id", Integers{1}}});
  EXPECT_THAT(Read("events.parquet"),
              StatusIs(kInvalid, AllOf(HasSubstr("column 'uid'"),
                                       HasSubstr("an id, integer or text"),
                                       HasSubstr("double"))));
  WriteParquet(folder_ / "events.parquet", {{"uid", Integers{1}},
                                            {"timestamp", Texts{"12"}},
                                            {"item_id", Integers{1}}});
  EXPECT_THAT(
      Read("events.parquet"),
      StatusIs(kInvalid, AllOf(HasSubstr("column 'timestamp'"),
                               HasSubstr("an integer"), HasSubstr("string"))));
}

TEST_F(DatasetErrorsTest, RowsOfParquetCountAcrossRowGroups) {
  WriteParquet(folder_ / "events.parquet",
               {{"uid", Integers{1, 1, 1, 1, 1}},
                {"timestamp", Integers{1, 2, 3, 4, -1}},
                {"item_id", Integers{1, 2, 3, 4, 5}}});
  EXPECT_THAT(Read("events.parquet"),
              StatusIs(kInvalid, HasSubstr("column 'timestamp', row 5:")));
}

TEST_F(DatasetErrorsTest, ListsOfOtherLengthsAreRefused) {
  WriteParquet(folder_ / "events.parquet",
               {{"uid", Integers{1, 2, 3}},
                {"timestamp", IntegerLists{{1}, {2}, {3, 4}}},
                {"item_id", IntegerLists{{1}, {2}, {3}}}});
  EXPECT_THAT(Read("events.parquet"),
              StatusIs(kInvalid, AllOf(HasSubstr("row 3"), HasSubstr("lists"),
                                       HasSubstr("one value an event"))));
}

TEST_F(DatasetErrorsTest, PlacesOfListsAreNamed) {
  WriteParquet(folder_ / "events.parquet",
               {{"uid", Integers{1, 2}},
                {"timestamp", IntegerLists{{1}, {2, -9}}},
                {"item_id", IntegerLists{{1}, {2, 3}}}});
  EXPECT_THAT(Read("events.parquet"),
              StatusIs(kInvalid, HasSubstr("row 2, place 2 of its list")));
}

TEST_F(DatasetErrorsTest, SecondFileOfAFolderIsNamed) {
  std::filesystem::create_directory(folder_ / "days");
  WriteText(folder_ / "days/1.csv", kHeader + "1,5,1\n");
  WriteText(folder_ / "days/2.csv", kHeader + "1,x,1\n");
  EXPECT_THAT(Read("days"),
              StatusIs(kInvalid, HasSubstr("days/2.csv: column "
                                           "'timestamp', row 2")));
}

TEST_F(DatasetErrorsTest, ItemsOfAnotherSetAreRefused) {
  WriteText(folder_ / "items.csv", "item_id\n901\n902\n");
  EXPECT_THAT(Read("events.csv", "items { path: '@/items.csv' }"),
              StatusIs(kInvalid, AllOf(HasSubstr("items.csv"),
                                       HasSubstr("none of the 2 rows"),
                                       HasSubstr("'901'"), HasSubstr("'1'"))));
}

TEST_F(DatasetErrorsTest, MappingOfAnotherSetIsRefused) {
  WriteText(folder_ / "map.csv", "artist,item_id\n1,901\n");
  EXPECT_THAT(Read("events.csv",
                   "items { features { name: 'artist' source: MAPPING "
                   "mapping_path: '@/map.csv' } }"),
              StatusIs(kInvalid, HasSubstr("none of the 1 rows")));
}

TEST_F(DatasetErrorsTest, EmptyItemsFileIsRefused) {
  WriteText(folder_ / "items.csv", "item_id\n");
  EXPECT_THAT(Read("events.csv", "items { path: '@/items.csv' }"),
              StatusIs(kInvalid, HasSubstr("items.csv: has no rows")));
}

TEST_F(DatasetErrorsTest, FeatureCellsAreNamed) {
  WriteText(folder_ / "items.csv", "item_id,year\n1,1999\n2,old\n");
  EXPECT_THAT(Read("events.csv",
                   "items { path: '@/items.csv' "
                   "features { name: 'year' kind: NUMERIC } }"),
              StatusIs(kInvalid, HasSubstr("column 'year', row 3")));
}

TEST_F(DatasetErrorsTest, MissingColumnsOfItemsAreNamedWithThoseThatExist) {
  WriteText(folder_ / "items.csv", "item_id,title\n1,One\n");
  for (const char* asked :
       {"features { name: 'genres' }", "display_columns: 'genres'"}) {
    EXPECT_THAT(Read("events.csv",
                     absl::StrCat("items { path: '@/items.csv' ", asked, "}")),
                StatusIs(absl::StatusCode::kNotFound,
                         AllOf(HasSubstr("items.csv"),
                               HasSubstr("column 'genres' is missing"),
                               HasSubstr("item_id, title"))));
  }
}

TEST_F(DatasetErrorsTest, MissingItemsFileIsNamed) {
  EXPECT_THAT(Read("events.csv", "items { path: '@/none.csv' }"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none.csv")));
}

TEST_F(DatasetErrorsTest, TitlesMustBeUtf8) {
  WriteText(folder_ / "items.csv", "item_id,title\n1,ok\n2,caf\xe9\n");
  EXPECT_THAT(Read("events.csv",
                   "items { path: '@/items.csv' display_columns: 'title' }"),
              StatusIs(kInvalid, AllOf(HasSubstr("column 'title', row 3"),
                                       HasSubstr("UTF-8"))));
}

TEST_F(DatasetErrorsTest, FeaturesWithoutTheirFileAreRefused) {
  EXPECT_THAT(Read("events.csv", "items { features { name: 'year' } }"),
              StatusIs(kInvalid, HasSubstr("'year'")));
  EXPECT_THAT(Read("events.csv", "items { display_columns: 'title' }"),
              StatusIs(kInvalid, HasSubstr("display_columns")));
  EXPECT_THAT(Read("events.csv", "users { features { name: 'age' } }"),
              StatusIs(kInvalid, HasSubstr("'age'")));
  EXPECT_THAT(Read("events.csv",
                   "items { features { name: 'artist' source: MAPPING } }"),
              StatusIs(kInvalid, HasSubstr("mapping_path")));
}

TEST_F(DatasetErrorsTest, FiltersNeedOneCondition) {
  EXPECT_THAT(Read("events.csv", "events { filters { column: 'uid' } }"),
              StatusIs(kInvalid, HasSubstr("exactly one")));
  EXPECT_THAT(Read("events.csv",
                   "events { target_filters { any_of { column: 'uid' } } }"),
              StatusIs(kInvalid, HasSubstr("exactly one")));
  EXPECT_THAT(Read("events.csv",
                   "events { filters { column: 'uid' at_least: 1 "
                   "at_most: 2 } }"),
              StatusIs(kInvalid, HasSubstr("2 conditions")));
}

}  // namespace
}  // namespace segue
