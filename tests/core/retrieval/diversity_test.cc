#include "core/retrieval/diversity.h"

#include <algorithm>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
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

// Five tracks: 0, 1 and 3 by a, 1 and 2 by b, 4 by nobody.
class DiversityTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto attributes = AttributeIndex::Create(
        Parse<v1::Attributes>("columns { name: 'artist' kind: CATEGORICAL "
                              "values: 'a' values: 'b' begins: [0, 3, 5] "
                              "rows: [0, 1, 3, 1, 2] } "
                              "columns { name: 'year' kind: NUMERIC "
                              "numbers: [1, 2, 3, 4, 5] }"),
        5);
    ASSERT_THAT(attributes, IsOk());
    attributes_ = *std::move(attributes);
  }

  std::vector<int32_t> Capped(int32_t at_most, int32_t most) const {
    std::vector<int32_t> rows;
    for (const Neighbor& one :
         ApplyCaps(ranked_, {{.attribute = 0, .at_most = at_most}}, attributes_,
                   most)) {
      rows.push_back(one.row);
    }
    return rows;
  }
  absl::Status Refusal(const std::string& text, int32_t top_k = 100) const {
    return ResolveDiversity(Parse<v1::Diversity>(text), attributes_, top_k)
        .status();
  }

  AttributeIndex attributes_;
  const std::vector<Neighbor> ranked_ = {
      {0, .9f}, {1, .8f}, {2, .7f}, {3, .6f}, {4, .5f}};
};

TEST_F(DiversityTest, ItemsOverACapArePassedOver) {
  EXPECT_THAT(Capped(1, 5), ElementsAre(0, 2, 4));
  EXPECT_THAT(Capped(2, 5), ElementsAre(0, 1, 2, 4));
  EXPECT_THAT(Capped(3, 5), ElementsAre(0, 1, 2, 3, 4));
}

TEST_F(DiversityTest, NoMoreThanAskedForAreTaken) {
  EXPECT_THAT(Capped(1, 2), ElementsAre(0, 2));
  EXPECT_THAT(Capped(1, 0), IsEmpty());
}

TEST_F(DiversityTest, MmrTakesTheBestThenWhatIsUnlikeIt) {
  // 1 is 0 once more; 2 is at a right angle.
  const std::vector<Neighbor> ranked = {{0, .9f}, {1, .8f}, {2, .5f}};
  const std::vector<float> vectors = {1, 0, 1, 0, 0, 1};
  const auto rows = [&](double mmr, int32_t k) {
    std::vector<int32_t> taken;
    for (const Neighbor& one : TakeByMmr(ranked, vectors, mmr, k)) {
      taken.push_back(one.row);
    }
    return taken;
  };
  EXPECT_THAT(rows(.5, 2), ElementsAre(0, 2));
  EXPECT_THAT(rows(.1, 2), ElementsAre(0, 1));
  EXPECT_THAT(rows(.5, 9), ElementsAre(0, 2, 1));
  EXPECT_THAT(TakeByMmr({}, {}, .5, 3), IsEmpty());
}

TEST_F(DiversityTest, RulesFindTheirAttributes) {
  const auto rules = ResolveDiversity(
      Parse<v1::Diversity>("caps { attribute: 'artist' at_most: 2 } mmr: .3"),
      attributes_, 100);
  ASSERT_THAT(rules, IsOk());
  ASSERT_EQ(rules->caps.size(), 1u);
  EXPECT_EQ(rules->caps[0].attribute, 0);
  EXPECT_EQ(rules->caps[0].at_most, 2);
  EXPECT_EQ(rules->mmr, .3);
  EXPECT_FALSE(rules->empty());
  EXPECT_TRUE(ResolveDiversity({}, attributes_, 100)->empty());
}

TEST_F(DiversityTest, WhatMakesNoSenseIsRefusedByField) {
  const auto invalid = [](const std::string& what) {
    return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(what));
  };
  EXPECT_THAT(Refusal("caps { attribute: 'mood' at_most: 1 }"),
              invalid("caps[0]: the bundle has no attribute \"mood\""));
  EXPECT_THAT(Refusal("caps { attribute: 'year' at_most: 1 }"),
              invalid("\"year\" is a number"));
  EXPECT_THAT(Refusal("caps { attribute: 'artist' }"),
              invalid("caps[0].at_most: 0"));
  EXPECT_THAT(Refusal("caps { attribute: 'artist' at_most: 1 } "
                      "caps { attribute: 'artist' at_most: 2 }"),
              invalid("caps[1]: attribute \"artist\" twice"));
  EXPECT_THAT(Refusal("mmr: 1"), invalid("mmr: 1"));
  EXPECT_THAT(Refusal("mmr: nan"), invalid("mmr: nan"));
  EXPECT_THAT(Refusal("mmr: .5", 1001), invalid("mmr: for top_k 1001"));
  EXPECT_THAT(Refusal("mmr: .5", 1000), IsOk());
}

// Rows in their order, with falling scores; keeps what it was asked for.
class OrderedIndex : public VectorIndex {
 public:
  explicit OrderedIndex(int32_t items) : items_(items) {}
  int64_t size() const override { return items_; }
  int32_t dimension() const override { return 2; }
  SearchEffort effort() const override { return {}; }
  absl::StatusOr<Found> Search(absl::Span<const float>,
                               const SearchOptions& options) const override {
    asked.push_back(options.k);
    Found found;
    for (int32_t row = 0; row < std::min(options.k, items_); ++row) {
      found.neighbors.push_back({row, 1 - 1e-4f * static_cast<float>(row)});
    }
    return found;
  }
  absl::StatusOr<std::vector<float>> Vectors(
      absl::Span<const int32_t> rows) const override {
    std::vector<float> vectors;
    for (const int32_t row : rows) {
      vectors.push_back(row % 2 == 0 ? 1.0f : 0.0f);
      vectors.push_back(row % 2 == 0 ? 0.0f : 1.0f);
    }
    return vectors;
  }

  mutable std::vector<int32_t> asked;

 private:
  const int32_t items_;
};

// Of `items`, all but the last three have one artist.
AttributeIndex OneArtist(int32_t items) {
  v1::Attributes attributes;
  v1::AttributeColumn& artist = *attributes.add_columns();
  artist.set_name("artist");
  artist.set_kind(v1::AttributeColumn::CATEGORICAL);
  artist.add_values("a");
  artist.add_begins(0);
  artist.add_begins(items - 3);
  for (int32_t row = 0; row < items - 3; ++row) artist.add_rows(row);
  auto index = AttributeIndex::Create(attributes, items);
  EXPECT_THAT(index, IsOk());
  return *std::move(index);
}

std::vector<int32_t> RowsFound(const VectorIndex& index,
                               const AttributeIndex& attributes,
                               const DiversityRules& rules, int32_t k) {
  const auto found =
      SearchDiversely(index, attributes, {1, 0}, rules, {.k = k});
  EXPECT_THAT(found, IsOk());
  std::vector<int32_t> rows;
  for (const Neighbor& one : found->neighbors) rows.push_back(one.row);
  return rows;
}

TEST(SearchDiverselyTest, WithoutRulesItIsASearch) {
  const OrderedIndex index(100);
  EXPECT_THAT(RowsFound(index, OneArtist(100), {}, 3), ElementsAre(0, 1, 2));
  EXPECT_THAT(index.asked, ElementsAre(3));
}

TEST(SearchDiverselyTest, WhereCapsLeaveTooFewItLooksDeeper) {
  const OrderedIndex index(100);
  const DiversityRules rules = {.caps = {{.attribute = 0, .at_most = 1}}};
  EXPECT_THAT(RowsFound(index, OneArtist(100), rules, 3),
              ElementsAre(0, 97, 98));
  EXPECT_THAT(index.asked, ElementsAre(12, 48, 192));
}

TEST(SearchDiverselyTest, ItDoesNotLookDeeperThanTenThousand) {
  const OrderedIndex index(20000);
  const DiversityRules rules = {.caps = {{.attribute = 0, .at_most = 1}}};
  EXPECT_THAT(RowsFound(index, OneArtist(20000), rules, 1000), ElementsAre(0));
  EXPECT_THAT(index.asked, ElementsAre(4000, 10000));
}

TEST(SearchDiverselyTest, ByMmrTheAnswerIsOfUnlikeItems) {
  const OrderedIndex index(100);
  EXPECT_THAT(RowsFound(index, OneArtist(100), {.mmr = .5}, 4),
              ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(
      RowsFound(index, OneArtist(100),
                {.caps = {{.attribute = 0, .at_most = 1}}, .mmr = .5}, 2),
      ElementsAre(0, 97));
}

}  // namespace
}  // namespace segue
