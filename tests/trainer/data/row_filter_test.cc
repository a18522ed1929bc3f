#include "trainer/data/row_filter.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using ::segue::testing::IsOk;
using ::segue::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::StatusOr<RowFilter> Create(const std::string& text) {
  v1::EventFilter config;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &config));
  return RowFilter::Create(config);
}

// Whether each value of the column fulfils the filter `text`.
std::vector<bool> Held(const std::string& text, const Column& column,
                       size_t values) {
  const auto filter = Create(text);
  EXPECT_THAT(filter, IsOk());
  std::vector<bool> held;
  if (!filter.ok()) return held;
  for (size_t i = 0; i < values; ++i) held.push_back(filter->Holds(column, i));
  return held;
}

TEST(RowFilterTest, IntegersAreComparedAsText) {
  Column column;
  column.integers = {7, -7, 70, 0};
  EXPECT_THAT(Held("column: 'c' one_of: '7' one_of: '-7'", column, 4),
              ElementsAre(true, true, false, false));
  // Forms that no integer prints as.
  EXPECT_THAT(Held("column: 'c' one_of: '07' one_of: '+7' one_of: ' 7' "
                   "one_of: '-0' one_of: '7.0'",
                   column, 4),
              ElementsAre(false, false, false, false));
}

TEST(RowFilterTest, TextIsComparedByteForByte) {
  Column column;
  column.is_text = true;
  column.texts = {"listen", "Listen", "07", ""};
  EXPECT_THAT(Held("column: 'c' one_of: 'listen' one_of: '07'", column, 4),
              ElementsAre(true, false, true, false));
}

TEST(RowFilterTest, LimitsAreInclusive) {
  Column column;
  column.numbers = {49.999, 50, 50.001};
  EXPECT_THAT(Held("column: 'c' at_least: 50", column, 3),
              ElementsAre(false, true, true));
  EXPECT_THAT(Held("column: 'c' at_most: 50", column, 3),
              ElementsAre(true, true, false));
}

TEST(RowFilterTest, ZeroIsALimitLikeAnyOther) {
  Column column;
  column.numbers = {-1, 0, 1};
  EXPECT_THAT(Held("column: 'c' at_most: 0", column, 3),
              ElementsAre(true, true, false));
}

TEST(RowFilterTest, NullsNeverHold) {
  Column numbers;
  numbers.numbers = {0, 5};
  numbers.nulls = {1, 0};
  EXPECT_THAT(Held("column: 'c' at_most: 9", numbers, 2),
              ElementsAre(false, true));
  Column integers;
  integers.integers = {0, 5};
  integers.nulls = {1, 0};
  EXPECT_THAT(Held("column: 'c' one_of: '0' one_of: '5'", integers, 2),
              ElementsAre(false, true));
}

TEST(RowFilterTest, AsksForWhatItCompares) {
  EXPECT_EQ(Create("column: 'c' one_of: '1'")->request().type, ColumnType::kId);
  EXPECT_EQ(Create("column: 'c' at_most: 1")->request().type,
            ColumnType::kNumber);
  EXPECT_EQ(Create("column: 'c' at_most: 1")->request().name, "c");
}

TEST(RowFilterTest, ColumnIsRequired) {
  EXPECT_THAT(Create("at_most: 1"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("a filter needs a column")));
}

}  // namespace
}  // namespace segue
