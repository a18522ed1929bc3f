// Sets that say little: constants, columns of nothing, users and items of one
// event.
#include <cmath>
#include <string>
#include <vector>

#include "core/schema/numeric_scale.h"
#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"
#include "tests/trainer/data/dataset_text.h"
#include "tests/trainer/data/table_files.h"
#include "trainer/data/dataset_reader.h"

namespace segue {
namespace {

using ::segue::testing::Config;
using ::segue::testing::EventLines;
using ::segue::testing::FeatureLines;
using ::segue::testing::Integers;
using ::segue::testing::IsOk;
using ::segue::testing::TempFolder;
using ::segue::testing::Texts;
using ::segue::testing::WriteParquet;
using ::segue::testing::WriteText;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsNan;

class DatasetRobustnessTest : public ::testing::Test {
 protected:
  // Reads `events` with `more` of the config; '@' stands for the folder.
  Dataset Read(const std::string& events, std::string more) {
    for (size_t at; (at = more.find('@')) != std::string::npos;) {
      more.replace(at, 1, folder_.path());
    }
    auto dataset = ReadDataset(Config(folder_ / events, more), nullptr);
    EXPECT_THAT(dataset, IsOk());
    return dataset.ok() ? *std::move(dataset) : Dataset();
  }

  TempFolder folder_;
};

TEST_F(DatasetRobustnessTest, ConstantNumbersScaleToZero) {
  WriteText(folder_ / "events.csv",
            "uid,timestamp,item_id,length\n1,1,a,180\n1,2,b,180\n");
  const Dataset dataset = Read(
      "events.csv",
      "items { features { name: 'length' kind: NUMERIC source: EVENTS } }");
  const std::vector<double>& numbers = dataset.item_features[0].numbers;
  EXPECT_THAT(numbers, ElementsAre(180, 180));
  for (const v1::NumericTransform transform :
       {v1::QUANTILE_NORMAL, v1::Z_SCORE, v1::LOG1P_Z_SCORE}) {
    const auto scale = FitScale(transform, numbers);
    ASSERT_THAT(scale, IsOk());
    EXPECT_NEAR(ApplyScale(*scale, 180), 0, 1e-6) << transform;
    EXPECT_TRUE(std::isfinite(ApplyScale(*scale, 1e30))) << transform;
  }
}

TEST_F(DatasetRobustnessTest, OneValueIsAVocabularyOfOne) {
  WriteText(folder_ / "events.csv",
            "uid,timestamp,item_id,device\n1,1,a,tv\n1,2,b,tv\n");
  const Dataset dataset = Read("events.csv",
                               "request_features { name: 'device' } "
                               "items { features { name: 'device' "
                               "source: EVENTS } }");
  EXPECT_EQ(dataset.item_features[0].values.size(), 1);
  EXPECT_THAT(FeatureLines(dataset.items, dataset.item_features[0]),
              ElementsAre("a=tv", "b=tv"));
  EXPECT_EQ(dataset.log.request_features[0].values.size(), 1);
}

TEST_F(DatasetRobustnessTest, ColumnsOfNothingButNullsAreNoValues) {
  const Integers no_numbers = {std::nullopt, std::nullopt};
  WriteParquet(folder_ / "events.parquet", {{"uid", Integers{1, 1}},
                                            {"timestamp", Integers{1, 2}},
                                            {"item_id", Integers{7, 8}},
                                            {"weight", no_numbers},
                                            {"volume", no_numbers, "null"}});
  WriteText(folder_ / "items.csv", "item_id,genres,year,title\n7,,,\n8,,,\n");
  const Dataset dataset =
      Read("events.parquet",
           "events { weight_column: 'weight' } "
           "request_features { name: 'volume' kind: NUMERIC } "
           "request_features { name: 'device' column: 'volume' } "
           "items { path: '@/items.csv' display_columns: 'title' "
           "features { name: 'genres' kind: MULTI_CATEGORICAL } "
           "features { name: 'genre' column: 'genres' } "
           "features { name: 'year' kind: NUMERIC } }");
  EXPECT_THAT(dataset.log.weights, ElementsAre(1, 1));
  EXPECT_EQ(dataset.counts.null_weights, 2);
  EXPECT_THAT(dataset.log.request_features[0].numbers,
              AllOf(::testing::SizeIs(2), Each(IsNan())));
  EXPECT_EQ(dataset.log.request_features[1].values.size(), 0);
  for (int f : {0, 1}) {
    EXPECT_EQ(dataset.item_features[f].values.size(), 0);
    EXPECT_THAT(FeatureLines(dataset.items, dataset.item_features[f]),
                ElementsAre("7=", "8="));
  }
  EXPECT_THAT(dataset.item_features[2].numbers, Each(IsNan()));
  EXPECT_THAT(dataset.display, ElementsAre(ElementsAre("", "")));
}

TEST_F(DatasetRobustnessTest, UsersOfOneEventAndOfOneItemStay) {
  WriteText(folder_ / "events.csv",
            "uid,timestamp,item_id\n1,1,a\n2,1,b\n2,2,b\n2,2,b\n");
  const Dataset dataset = Read("events.csv", "");
  EXPECT_THAT(EventLines(dataset), ElementsAre("1: a@1", "2: b@1 b@2 b@2"));
}

}  // namespace
}  // namespace segue
