#include "core/catalog/attribute_index.h"

#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::StatusIs;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

v1::Attributes Parse(const std::string& text) {
  v1::Attributes attributes;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &attributes));
  return attributes;
}

// Five items: 0 jazz, 1 jazz and rock, 2 none, 3 rock, 4 jazz.
constexpr char kGenres[] = R"pb(
  columns {
    name: "genre"
    kind: CATEGORICAL
    values: "jazz"
    values: "rock"
    begins: [ 0, 3, 5 ]
    rows: [ 0, 1, 4, 1, 3 ]
  }
)pb";

RowSet WithValue(const AttributeIndex& index, absl::string_view value) {
  RowSet rows;
  index.AddWithValue(0, value, rows);
  return rows;
}

TEST(AttributeIndexTest, NamesItsAttributes) {
  const auto table = AttributeIndex::Create(Parse(kGenres), 5);
  ASSERT_THAT(table, IsOk());
  EXPECT_EQ(table->size(), 1);
  EXPECT_EQ(table->Find("genre"), 0);
  EXPECT_EQ(table->Find("Genre"), std::nullopt);
  EXPECT_EQ(table->kind(0), v1::AttributeColumn::CATEGORICAL);
  EXPECT_EQ(AttributeIndex().size(), 0);
}

TEST(AttributeIndexTest, FindsItemsByAValue) {
  const auto table = AttributeIndex::Create(Parse(kGenres), 5);
  ASSERT_THAT(table, IsOk());
  EXPECT_THAT(WithValue(*table, "jazz").ToRows(), ElementsAre(0, 1, 4));
  EXPECT_THAT(WithValue(*table, "rock").ToRows(), ElementsAre(1, 3));
  EXPECT_THAT(WithValue(*table, "folk").ToRows(), IsEmpty());
}

TEST(AttributeIndexTest, RareValuesAreFoundLikeCommonOnes) {
  // Of a thousand items one in two is "even", and each has a value of its own.
  v1::Attributes attributes;
  v1::AttributeColumn& column = *attributes.add_columns();
  column.set_name("a");
  column.set_kind(v1::AttributeColumn::CATEGORICAL);
  column.add_begins(0);
  for (int i = 0; i < 1000; ++i) {
    column.add_values(std::to_string(i));
    column.add_rows(i);
    column.add_begins(column.rows_size());
  }
  column.add_values("even");
  for (int i = 0; i < 1000; i += 2) column.add_rows(i);
  column.add_begins(column.rows_size());
  const auto table = AttributeIndex::Create(attributes, 1000);
  ASSERT_THAT(table, IsOk());
  EXPECT_THAT(WithValue(*table, "77").ToRows(), ElementsAre(77));
  EXPECT_EQ(WithValue(*table, "even").size(), 500);
}

TEST(AttributeIndexTest, FindsItemsByARangeWithBothEndsIncluded) {
  const auto table = AttributeIndex::Create(
      Parse(R"pb(columns {
                   name: "year"
                   kind: NUMERIC
                   numbers: [ 1999, nan, 1980, 1999, -inf, 2020 ]
                 })pb"),
      6);
  ASSERT_THAT(table, IsOk());
  EXPECT_THAT(table->InRange(0, 1980, 1999).ToRows(), ElementsAre(0, 2, 3));
  EXPECT_THAT(table->InRange(0, 1981, 1998).ToRows(), IsEmpty());
  EXPECT_THAT(table->InRange(0, 2000, kInfinity).ToRows(), ElementsAre(5));
  EXPECT_THAT(table->InRange(0, -kInfinity, kInfinity).ToRows(),
              ElementsAre(0, 2, 3, 4, 5));
  EXPECT_THAT(table->InRange(0, 2, 1).ToRows(), IsEmpty());
}

TEST(AttributeIndexTest, RangesOfManyNumbersAreWhatComparingEachSays) {
  std::mt19937 random(3);
  v1::Attributes attributes;
  v1::AttributeColumn& column = *attributes.add_columns();
  column.set_name("n");
  column.set_kind(v1::AttributeColumn::NUMERIC);
  constexpr int kItems = 5000;
  for (int i = 0; i < kItems; ++i) {
    const auto drawn = static_cast<double>(random() % 700);
    column.add_numbers(drawn == 0 ? std::nan("") : drawn);
  }
  const auto table = AttributeIndex::Create(attributes, kItems);
  ASSERT_THAT(table, IsOk());
  for (int trial = 0; trial < 300; ++trial) {
    const auto least = static_cast<double>(random() % 720) - 10;
    const auto most = least + static_cast<double>(random() % 720) - 5;
    std::vector<int32_t> expected;
    for (int i = 0; i < kItems; ++i) {
      const double number = column.numbers(i);
      if (number >= least && number <= most) expected.push_back(i);
    }
    EXPECT_EQ(table->InRange(0, least, most).ToRows(), expected)
        << least << " to " << most;
  }
}

TEST(AttributeIndexTest, NoNumbersAtAllAreInNoRange) {
  const auto table = AttributeIndex::Create(Parse(R"pb(columns {
                                                         name: "n"
                                                         kind: NUMERIC
                                                         numbers: [ nan, nan ]
                                                       })pb"),
                                            2);
  ASSERT_THAT(table, IsOk());
  EXPECT_THAT(table->InRange(0, -kInfinity, kInfinity).ToRows(), IsEmpty());
}

TEST(AttributeIndexTest, ColumnsThatContradictThemselvesAreRefused) {
  struct Case {
    std::function<void(v1::AttributeColumn&)> damage;
    std::string said;
  };
  const std::vector<Case> cases = {
      {[](auto& c) { c.set_begins(0, 1); }, "begins do not fit"},
      {[](auto& c) { c.set_begins(2, 4); }, "begins do not fit"},
      {[](auto& c) { c.clear_begins(); }, "begins do not fit"},
      {[](auto& c) { c.set_begins(1, 6); }, "begins do not ascend"},
      {[](auto& c) { c.set_begins(1, -1); }, "begins do not ascend"},
      {[](auto& c) { c.set_rows(2, 5); }, "row 5"},
      {[](auto& c) { c.set_rows(0, -1); }, "row -1"},
      {[](auto& c) { c.set_rows(1, 0); }, "row 0"},
      {[](auto& c) { c.set_values(1, "jazz"); }, "there twice"},
      {[](auto& c) { c.clear_kind(); }, "no kind"},
      {[](auto& c) { c.set_kind(v1::AttributeColumn::NUMERIC); },
       "0 numbers for 5 items"},
  };
  for (const Case& one : cases) {
    v1::Attributes attributes = Parse(kGenres);
    one.damage(*attributes.mutable_columns(0));
    EXPECT_THAT(AttributeIndex::Create(attributes, 5),
                StatusIs(absl::StatusCode::kDataLoss,
                         AllOf(HasSubstr("\"genre\""), HasSubstr(one.said))));
  }
  v1::Attributes twice = Parse(kGenres);
  *twice.add_columns() = twice.columns(0);
  EXPECT_THAT(AttributeIndex::Create(twice, 5),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("twice")));
}

}  // namespace
}  // namespace segue
