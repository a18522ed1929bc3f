#include "trainer/publish/item_attributes.h"

#include <limits>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"

namespace segue {
namespace {

template <typename Message>
Message Parse(const char* text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message));
  return message;
}

// Three items: one of jazz and pop, one of none, one of jazz.
FeatureTable Genres() {
  FeatureTable genres;
  genres.name = "genre";
  genres.kind = v1::MULTI_CATEGORICAL;
  genres.values.Add("pop");
  genres.values.Add("jazz");
  genres.begins = {0, 2, 2, 3};
  genres.value_rows = {1, 0, 1};
  return genres;
}

TEST(ItemAttributesTest, EachValueHasTheItemsThatHaveIt) {
  Dataset data;
  data.item_features = {Genres()};
  FeatureTable year;
  year.name = "year";
  year.kind = v1::NUMERIC;
  year.numbers = {1999, std::numeric_limits<double>::quiet_NaN(), 2001};
  data.item_attributes = {year};
  const auto config = Parse<v1::ItemsConfig>(
      "features { name: 'genre' } attributes { name: 'year' } "
      "attributes { name: 'genre' }");
  EXPECT_EQ(ItemAttributes(config, data)->ShortDebugString(),
            Parse<v1::Attributes>(R"(
          columns {
            name: "year" kind: NUMERIC
            numbers: 1999 numbers: nan numbers: 2001
          }
          columns {
            name: "genre" kind: CATEGORICAL
            values: "pop" values: "jazz"
            begins: 0 begins: 1 begins: 3
            rows: 0 rows: 0 rows: 2
          })")
                .ShortDebugString());
}

TEST(ItemAttributesTest, WhatIsNotAskedForIsNotThere) {
  Dataset data;
  data.item_features = {Genres()};
  EXPECT_EQ(ItemAttributes(v1::ItemsConfig(), data)->columns_size(), 0);
}

}  // namespace
}  // namespace segue
