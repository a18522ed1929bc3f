// Vectors of items, as files give them.
#include <cmath>
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
using ::segue::testing::Integers;
using ::segue::testing::IsOk;
using ::segue::testing::RealLists;
using ::segue::testing::Reals;
using ::segue::testing::StatusIs;
using ::segue::testing::TempFolder;
using ::segue::testing::Texts;
using ::segue::testing::WriteParquet;
using ::segue::testing::WriteText;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

class DatasetVectorsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    WriteText(folder_ / "events.csv",
              "uid,timestamp,item_id\n1,1,10\n1,2,11\n1,3,12\n");
  }

  // A feature of kind VECTOR from `file`, as the column "embed" of a mapping.
  absl::StatusOr<Dataset> Read(const std::string& file) {
    return ReadDataset(
        Config(folder_ / "events.csv",
               "items { features { name: 'audio' column: 'embed' kind: VECTOR "
               "source: MAPPING mapping_path: '" +
                   folder_.path() + "/" + file + "' } }"),
        [this](absl::string_view line) { lines_.emplace_back(line); });
  }

  TempFolder folder_;
  std::vector<std::string> lines_;
};

// Items 10 and 12 have (1, 0) and (-1, 0), 11 has none: the vectors are on
// their scale already.
const RealLists kLists = {{{-1, 0}}, {{5, 7}}, {{1, 0}}, std::nullopt};
const Integers kItems = {12, 99, 10, 11};

class VectorTypesTest : public DatasetVectorsTest,
                        public ::testing::WithParamInterface<const char*> {};

TEST_P(VectorTypesTest, ListsOfParquetAreRead) {
  WriteParquet(folder_ / "v.parquet",
               {{"item_id", kItems}, {"embed", kLists, GetParam()}});
  const auto dataset = Read("v.parquet");
  ASSERT_THAT(dataset, IsOk());
  const FeatureTable& audio = dataset->item_features[0];
  EXPECT_EQ(audio.name, "audio");
  EXPECT_EQ(audio.kind, v1::VECTOR);
  EXPECT_EQ(audio.vector_width, 2);
  EXPECT_THAT(audio.vectors, ElementsAre(1, 0, 0, 0, -1, 0));
  EXPECT_THAT(lines_, Contains("feature audio: 2 of 3 items have a vector"));
}

INSTANTIATE_TEST_SUITE_P(Table, VectorTypesTest,
                         ::testing::Values("", "list<item: float>",
                                           "large_list<item: float>",
                                           "fixed_size_list<item: float>[2]"));

TEST_F(DatasetVectorsTest, TextOfACsvIsSplit) {
  WriteText(folder_ / "v.csv", "embed,item_id\n1|0,10\n,11\n-1|0,12\n");
  const auto dataset = Read("v.csv");
  ASSERT_THAT(dataset, IsOk());
  EXPECT_THAT(dataset->item_features[0].vectors,
              ElementsAre(1, 0, 0, 0, -1, 0));
}

TEST_F(DatasetVectorsTest, FirstVectorOfAnItemCounts) {
  WriteText(folder_ / "v.csv", "item_id,embed\n10,1|0\n12,-1|0\n10,9|9\n");
  const auto dataset = Read("v.csv");
  ASSERT_THAT(dataset, IsOk());
  EXPECT_THAT(dataset->item_features[0].vectors,
              ElementsAre(1, 0, 0, 0, -1, 0));
}

TEST_F(DatasetVectorsTest, ItemsFileOfTheWholeCatalogueGivesThem) {
  WriteParquet(folder_ / "items.parquet",
               {{"item_id", kItems}, {"audio", kLists}});
  const auto dataset = ReadDataset(
      Config(folder_ / "events.csv",
             "items { catalogue: ALL path: '" + (folder_ / "items.parquet") +
                 "' features { name: 'audio' kind: VECTOR } }"),
      nullptr);
  ASSERT_THAT(dataset, IsOk());
  ASSERT_EQ(dataset->items.size(), 4);
  const std::vector<float>& vectors = dataset->item_features[0].vectors;
  ASSERT_EQ(vectors.size(), 8u);
  // The mean is (5/3, 7/3) now; what has none is at it.
  EXPECT_THAT(std::vector<float>(vectors.begin() + 2, vectors.begin() + 4),
              ElementsAre(0, 0));
  EXPECT_GT(vectors[6], 0);
  EXPECT_FLOAT_EQ(vectors[7], vectors[6] * (7 - 7 / 3.0f) / (5 - 5 / 3.0f));
}

TEST_F(DatasetVectorsTest, OtherLengthNamesFileItemAndBoth) {
  WriteParquet(folder_ / "v.parquet",
               {{"item_id", Integers{10, 99, 12}},
                {"embed", RealLists{{{1, 2}}, {{1}}, {{1, 2, 3}}}}});
  EXPECT_THAT(
      Read("v.parquet"),
      StatusIs(kInvalid, AllOf(HasSubstr("v.parquet: column 'embed', row 3"),
                               HasSubstr("of '12'"), HasSubstr("of 2 numbers"),
                               HasSubstr("one of 3"))));
}

TEST_F(DatasetVectorsTest, NumbersThatAreNotFiniteNameFileAndItem) {
  for (const std::optional<double> bad :
       {std::optional<double>(), std::optional<double>(NAN),
        std::optional<double>(HUGE_VAL)}) {
    WriteParquet(folder_ / "v.parquet",
                 {{"item_id", Integers{10, 12}},
                  {"embed", RealLists{{{1, 2}}, {{1, bad}}}}});
    EXPECT_THAT(
        Read("v.parquet"),
        StatusIs(kInvalid, AllOf(HasSubstr("v.parquet"), HasSubstr("of '12'"),
                                 HasSubstr("finite"), HasSubstr("place 2"))));
  }
}

TEST_F(DatasetVectorsTest, OtherTypesAreRefused) {
  WriteParquet(folder_ / "v.parquet",
               {{"item_id", Integers{10}}, {"embed", Reals{0.5}}});
  EXPECT_THAT(Read("v.parquet"),
              StatusIs(kInvalid, AllOf(HasSubstr("column 'embed'"),
                                       HasSubstr("lists of numbers"),
                                       HasSubstr("double"))));
}

TEST_F(DatasetVectorsTest, NoVectorAtAllIsRefused) {
  WriteParquet(folder_ / "v.parquet",
               {{"item_id", Integers{10, 11}},
                {"embed", RealLists{std::nullopt, std::nullopt}}});
  EXPECT_THAT(
      Read("v.parquet"),
      StatusIs(kInvalid, AllOf(HasSubstr("'audio'"), HasSubstr("no vector"))));
}

TEST_F(DatasetVectorsTest, VectorsOfEventsAreRefused) {
  EXPECT_THAT(ReadDataset(Config(folder_ / "events.csv",
                                 "items { features { name: 'uid' kind: VECTOR "
                                 "source: EVENTS } }"),
                          nullptr),
              StatusIs(kInvalid, HasSubstr("ITEMS or MAPPING")));
}

}  // namespace
}  // namespace segue
