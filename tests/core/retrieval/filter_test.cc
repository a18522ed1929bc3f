#include "core/retrieval/filter.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::StatusIs;

template <typename Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message));
  return message;
}

// Five films: 0 a comedy of 1980, 1 a comedy and drama of 1990, 2 nothing
// known, 3 a drama of 2000, 4 a comedy of 2010.
class FilterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* id : {"a", "b", "c", "d", "e"}) items_.Add(id);
    auto attributes =
        AttributeIndex::Create(Parse<v1::Attributes>(R"pb(
                                 columns {
                                   name: "genre"
                                   kind: CATEGORICAL
                                   values: "comedy"
                                   values: "drama"
                                   begins: [ 0, 3, 5 ]
                                   rows: [ 0, 1, 4, 1, 3 ]
                                 }
                                 columns {
                                   name: "year"
                                   kind: NUMERIC
                                   numbers: [ 1980, 1990, nan, 2000, 2010 ]
                                 }
                               )pb"),
                               5);
    ASSERT_THAT(attributes, IsOk());
    attributes_ = *std::move(attributes);
  }

  absl::StatusOr<RowSet> Apply(const std::string& text) const {
    return ApplyFilter(Parse<v1::Filter>(text), attributes_, items_);
  }
  std::vector<int32_t> Rows(const std::string& text) const {
    const auto rows = Apply(text);
    EXPECT_THAT(rows, IsOk()) << text;
    return rows.ok() ? rows->ToRows() : std::vector<int32_t>{-1};
  }

  Vocabulary items_{1};
  AttributeIndex attributes_;
};

TEST_F(FilterTest, OneOfTakesItemsWithAnyOfTheValues) {
  EXPECT_THAT(Rows(R"(one_of { attribute: "genre" values: "drama" })"),
              ElementsAre(1, 3));
  EXPECT_THAT(Rows(R"(one_of { attribute: "genre" values: ["drama", "comedy",
                                                           "opera"] })"),
              ElementsAre(0, 1, 3, 4));
  EXPECT_THAT(Rows(R"(one_of { attribute: "genre" })"), IsEmpty());
}

TEST_F(FilterTest, RangesIncludeTheirEndsAndNoUnknownNumbers) {
  EXPECT_THAT(Rows(R"(range { attribute: "year" at_least: 1990 })"),
              ElementsAre(1, 3, 4));
  EXPECT_THAT(
      Rows(R"(range { attribute: "year" at_least: 1981 at_most: 2000 })"),
      ElementsAre(1, 3));
  EXPECT_THAT(Rows(R"(range { attribute: "year" })"), ElementsAre(0, 1, 3, 4));
}

TEST_F(FilterTest, ItemsAreTakenByTheirIds) {
  EXPECT_THAT(Rows(R"(items { item_ids: ["e", "a", "x", "a"] })"),
              ElementsAre(0, 4));
  EXPECT_THAT(Rows("items { }"), IsEmpty());
}

TEST_F(FilterTest, PartsCombine) {
  const std::string comedy =
      R"(filters { one_of { attribute: "genre" values: "comedy" } })";
  const std::string early =
      R"(filters { range { attribute: "year" at_most: 1990 } })";
  EXPECT_THAT(Rows(absl::StrCat("all_of {", comedy, early, "}")),
              ElementsAre(0, 1));
  EXPECT_THAT(Rows(absl::StrCat("any_of {", comedy, early, "}")),
              ElementsAre(0, 1, 4));
  EXPECT_THAT(Rows(absl::StrCat("none_of {", comedy, early, "}")),
              ElementsAre(2, 3));
  EXPECT_THAT(Rows(absl::StrCat("all_of {", comedy, "filters { none_of {",
                                early, "} } }")),
              ElementsAre(4));
}

TEST_F(FilterTest, EmptyListsSayWhatTheProtoSays) {
  EXPECT_THAT(Rows("all_of { }"), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(Rows("any_of { }"), IsEmpty());
  EXPECT_THAT(Rows("none_of { }"), ElementsAre(0, 1, 2, 3, 4));
}

TEST_F(FilterTest, WhatCannotBeAskedIsRefusedByFieldAndValue) {
  struct Case {
    std::string filter, said;
  };
  const std::vector<Case> cases = {
      {R"(one_of { attribute: "Genre" values: "drama" })",
       "filter.one_of: the bundle has no attribute \"Genre\"; it has genre, "
       "year"},
      {R"(one_of { attribute: "year" values: "1990" })",
       "\"year\" is a number"},
      {R"(range { attribute: "genre" })", "\"genre\" is not a number"},
      {R"(range { attribute: "year" at_least: nan })",
       "filter.range.at_least: is nan"},
      {R"(range { attribute: "year" at_most: nan })",
       "filter.range.at_most: is nan"},
      {"", "filter: says nothing"},
      {R"(all_of { filters { any_of { } } filters { } })",
       "filter.all_of[1]: says nothing"},
  };
  for (const Case& one : cases) {
    EXPECT_THAT(Apply(one.filter), StatusIs(absl::StatusCode::kInvalidArgument,
                                            HasSubstr(one.said)))
        << one.filter;
  }
  EXPECT_THAT(
      ApplyFilter(Parse<v1::Filter>(R"(range { attribute: "year" })"),
                  AttributeIndex(), items_),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("nor any other")));
}

TEST_F(FilterTest, DepthAndCostAreBounded) {
  const auto invalid = [](const std::string& what) {
    return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(what));
  };
  v1::Filter deep;
  v1::Filter* at = &deep;
  for (int i = 1; i < 16; ++i) at = at->mutable_all_of()->add_filters();
  at->mutable_none_of();
  EXPECT_THAT(ApplyFilter(deep, attributes_, items_), IsOk());
  at->mutable_all_of()->add_filters()->mutable_none_of();
  EXPECT_THAT(ApplyFilter(deep, attributes_, items_),
              invalid("deeper than 16"));

  // 250 parts of 40.
  v1::Filter wide;
  for (int i = 1; i < 250; ++i) {
    wide.mutable_all_of()->add_filters()->mutable_none_of();
  }
  EXPECT_THAT(ApplyFilter(wide, attributes_, items_), IsOk());
  wide.mutable_all_of()->add_filters()->mutable_none_of();
  EXPECT_THAT(ApplyFilter(wide, attributes_, items_), invalid("too large"));

  const std::string id = "a";
  v1::Filter ids;
  for (int i = 0; i < 9960; ++i) ids.mutable_items()->add_item_ids(id);
  EXPECT_THAT(ApplyFilter(ids, attributes_, items_), IsOk());
  ids.mutable_items()->add_item_ids(id);
  EXPECT_THAT(ApplyFilter(ids, attributes_, items_), invalid("too large"));

  const std::string value = "drama";
  v1::Filter values;
  values.mutable_one_of()->set_attribute("genre");
  for (int i = 0; i < 622; ++i) values.mutable_one_of()->add_values(value);
  EXPECT_THAT(ApplyFilter(values, attributes_, items_), IsOk());
  values.mutable_one_of()->add_values(value);
  EXPECT_THAT(ApplyFilter(values, attributes_, items_), invalid("too large"));

  v1::Filter ranges;
  for (int i = 0; i < 9; ++i) {
    ranges.mutable_any_of()->add_filters()->mutable_range()->set_attribute(
        "year");
  }
  EXPECT_THAT(ApplyFilter(ranges, attributes_, items_), IsOk());
  ranges.mutable_any_of()->add_filters()->mutable_range()->set_attribute(
      "year");
  EXPECT_THAT(ApplyFilter(ranges, attributes_, items_), invalid("too large"));
}

TEST_F(FilterTest, ALongNameIsCutInTheError) {
  const absl::Status status =
      Apply("one_of { attribute: '" + std::string(5000, 'x') + "' }").status();
  EXPECT_LT(status.message().size(), 200);
}

}  // namespace
}  // namespace segue
