#include "core/index/exact_search.h"

#include <algorithm>
#include <random>
#include <set>

#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using ::testing::_;
using ::testing::ElementsAre;
using testing::IsOk;
using testing::StatusIs;

// East, north, west, north again.
const std::vector<float> kVectors = {1, 0, 0, 1, -1, 0, 0, 1};

TEST(ExactTopKTest, RanksByInnerProductAndTiesByRow) {
  const auto found = ExactTopK(kVectors, {0, 2}, 2, 4, 1, {});
  ASSERT_THAT(found, IsOk());
  EXPECT_THAT(RowsOf((*found)[0]), ElementsAre(1, 3, 0, 2));
  EXPECT_EQ((*found)[0][0].score, 2);
}

TEST(ExactTopKTest, AnswersEachQuery) {
  const auto found = ExactTopK(kVectors, {1, 0, -1, 0}, 2, 1, 2, {});
  ASSERT_THAT(found, IsOk());
  EXPECT_THAT(RowsOf((*found)[0]), ElementsAre(0));
  EXPECT_THAT(RowsOf((*found)[1]), ElementsAre(2));
}

TEST(ExactTopKTest, LeavesOutEachQuerysExcludedRows) {
  const std::vector<std::vector<int32_t>> without = {{1, 1, 77}, {}};
  const auto found =
      ExactTopK(kVectors, {0, 1, 0, 1}, 2, 2, 1,
                [&](int64_t query) { return absl::MakeSpan(without[query]); });
  ASSERT_THAT(found, IsOk());
  EXPECT_THAT(RowsOf((*found)[0]), ElementsAre(3, 0));
  EXPECT_THAT(RowsOf((*found)[1]), ElementsAre(1, 3));
}

TEST(ExactTopKTest, KBeyondTheCatalogueGivesAllThatIsLeft) {
  const std::vector<int32_t> without = {0, 2};
  const auto found = ExactTopK(kVectors, {0, 1}, 2, 100, 1, [&](int64_t) {
    return absl::MakeConstSpan(without);
  });
  ASSERT_THAT(found, IsOk());
  EXPECT_THAT(RowsOf((*found)[0]), ElementsAre(1, 3));
}

TEST(ExactTopKAmongTest, RanksOnlyThoseRowsButForTheExcluded) {
  const std::vector<int32_t> among = {0, 2, 3}, without = {3, 1};
  EXPECT_THAT(
      RowsOf(ExactTopKAmong(among, kVectors, {0, 2}, 2, 2, 1, {}).value()[0]),
      ElementsAre(3, 0));
  const auto found =
      ExactTopKAmong(among, kVectors, {0, 2}, 2, 4, 1,
                     [&](int64_t) { return absl::MakeConstSpan(without); });
  ASSERT_THAT(found, IsOk());
  EXPECT_THAT(RowsOf((*found)[0]), ElementsAre(0, 2));
  EXPECT_TRUE(
      ExactTopKAmong({}, kVectors, {0, 2}, 2, 4, 1, {}).value()[0].empty());
}

TEST(ExactTopKTest, NoVectorsOrNoQueriesGiveNothing) {
  EXPECT_TRUE(ExactTopK({}, {0, 1}, 2, 3, 1, {}).value()[0].empty());
  EXPECT_TRUE(ExactTopK(kVectors, {}, 2, 3, 1, {}).value().empty());
}

TEST(ExactTopKTest, RefusesShapesThatDoNotFit) {
  EXPECT_THAT(ExactTopK(kVectors, {1}, 2, 1, 1, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, _));
  EXPECT_THAT(ExactTopK(kVectors, {1, 0}, 2, 0, 1, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, _));
  EXPECT_THAT(ExactTopK(kVectors, {}, 0, 1, 1, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, _));
}

// Several blocks of vectors and of queries. Small whole numbers have exact
// products, so that many scores tie and every rank is decided.
TEST(ExactTopKTest, AgreesWithSortingAcrossBlocks) {
  constexpr int kRows = 20000, kQueries = 150, kDimension = 3, kK = 25;
  std::mt19937 random(1);
  const auto draw = [&](int count) {
    std::vector<float> values(count);
    for (float& value : values) value = static_cast<int>(random() % 21) - 10;
    return values;
  };
  const std::vector<float> vectors = draw(kRows * kDimension);
  const std::vector<float> queries = draw(kQueries * kDimension);
  const auto found = ExactTopK(vectors, queries, kDimension, kK, 2, {});
  ASSERT_THAT(found, IsOk());
  std::vector<int32_t> odd;
  for (int row = 1; row < kRows; row += 2) odd.push_back(row);
  const auto among =
      ExactTopKAmong(odd, vectors, queries, kDimension, kK, 2, {});
  ASSERT_THAT(among, IsOk());
  for (int q = 0; q < kQueries; q += 37) {
    std::vector<std::pair<float, int32_t>> all;
    for (int row = 0; row < kRows; ++row) {
      float score = 0;
      for (int i = 0; i < kDimension; ++i) {
        score += queries[q * kDimension + i] * vectors[row * kDimension + i];
      }
      all.emplace_back(-score, row);
    }
    std::sort(all.begin(), all.end());
    std::vector<int32_t> expected;
    for (int i = 0; i < kK; ++i) expected.push_back(all[i].second);
    EXPECT_EQ(RowsOf((*found)[q]), expected) << q;
    std::erase_if(all, [](const auto& one) { return one.second % 2 == 0; });
    expected.clear();
    for (int i = 0; i < kK; ++i) expected.push_back(all[i].second);
    EXPECT_EQ(RowsOf((*among)[q]), expected) << q;
  }
}

}  // namespace
}  // namespace segue
