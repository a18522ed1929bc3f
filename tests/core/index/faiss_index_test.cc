#include "core/index/faiss_index.h"

#include <faiss/Index.h>
#include <faiss/index_factory.h>
#include <faiss/index_io.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <ostream>
#include <random>
#include <set>
#include <thread>

#include "core/base/file.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"

namespace segue {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;
using testing::TempFolder;

constexpr int kDimension = 8;
constexpr int kRows = 400;

std::vector<float> UnitVectors(int rows, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<float> vectors(rows * kDimension);
  for (int row = 0; row < rows; ++row) {
    float* x = vectors.data() + row * kDimension;
    float squares = 0;
    for (int i = 0; i < kDimension; ++i) {
      x[i] = static_cast<float>(random() % 2001) / 1000 - 1;
      squares += x[i] * x[i];
    }
    for (int i = 0; i < kDimension; ++i) x[i] /= std::sqrt(squares);
  }
  return vectors;
}

void WriteIndex(const std::string& factory, const std::vector<float>& vectors,
                int dimension, const std::string& path,
                faiss::MetricType metric = faiss::METRIC_INNER_PRODUCT) {
  const std::unique_ptr<faiss::Index> index(
      faiss::index_factory(dimension, factory.c_str(), metric));
  const int64_t rows = vectors.size() / dimension;
  index->train(rows, vectors.data());
  index->add(rows, vectors.data());
  faiss::write_index(index.get(), path.c_str());
}

std::vector<int32_t> Rows(const Found& found) {
  std::vector<int32_t> rows;
  for (const Neighbor& neighbor : found.neighbors) rows.push_back(neighbor.row);
  return rows;
}

// Three 2-d items: row 0 points east, row 1 north, row 2 west.
class FlatIndexTest : public ::testing::Test {
 protected:
  void SetUp() override {
    WriteIndex("Flat", {1, 0, 0, 1, -1, 0}, 2, path_);
    auto index = LoadFaissIndex(path_, {.dimension = 2, .size = 3});
    ASSERT_THAT(index, IsOk());
    index_ = *std::move(index);
  }

  const TempFolder folder_;
  const std::string path_ = folder_ / "index.faiss";
  std::unique_ptr<VectorIndex> index_;
};

TEST_F(FlatIndexTest, SearchReturnsBestFirstAndNoPadding) {
  const auto found = index_->Search({0.9f, 0.1f}, {.k = 10});
  ASSERT_THAT(found, IsOk());
  EXPECT_THAT(Rows(*found), ElementsAre(0, 1, 2));
  EXPECT_FLOAT_EQ(found->neighbors[0].score, 0.9f);
}

TEST_F(FlatIndexTest, ExcludedRowsMakeRoomForOthers) {
  EXPECT_THAT(
      Rows(index_->Search({0.9f, 0.1f}, {.k = 2, .excluded = {0, 0}}).value()),
      ElementsAre(1, 2));
}

TEST_F(FlatIndexTest, ExcludedRowsThatDoNotExistDoNotMatter) {
  EXPECT_THAT(
      Rows(index_->Search({0.9f, 0.1f}, {.k = 3, .excluded = {-1, 3, 999}})
               .value()),
      ElementsAre(0, 1, 2));
}

TEST_F(FlatIndexTest, EverythingExcludedIsAnEmptyAnswer) {
  EXPECT_TRUE(index_->Search({1, 0}, {.k = 2, .excluded = {2, 1, 0}})
                  .value()
                  .neighbors.empty());
}

TEST_F(FlatIndexTest, QueriesThatCannotBeAskedAreRefused) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_THAT(
      index_->Search({1, 0, 0}, {.k = 1}),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("3 dimensions")));
  EXPECT_THAT(index_->Search({1, 0}, {.k = 0}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("0")));
  EXPECT_THAT(index_->Search({1, nan}, {.k = 1}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("nan")));
  EXPECT_THAT(index_->Search({infinity, 0}, {.k = 1}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("inf")));
}

TEST_F(FlatIndexTest, WhatDiffersFromTheManifestIsRefused) {
  EXPECT_THAT(LoadFaissIndex(path_, {.dimension = 3, .size = 3}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("2 dimensions, 3 are expected")));
  EXPECT_THAT(LoadFaissIndex(path_, {.dimension = 2, .size = 4}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("3 vectors, 4 are expected")));
}

TEST_F(FlatIndexTest, AnotherMetricIsRefused) {
  WriteIndex("Flat", {1, 0}, 2, path_, faiss::METRIC_L2);
  EXPECT_THAT(LoadFaissIndex(path_, {.dimension = 2, .size = 1}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("inner product")));
}

TEST_F(FlatIndexTest, BytesThatAreNoIndexAreDataLoss) {
  ASSERT_THAT(WriteFileAtomically(path_, "not an index at all"), IsOk());
  EXPECT_THAT(LoadFaissIndex(path_, {.dimension = 2, .size = 3}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(path_)));
  EXPECT_THAT(LoadFaissIndex(path_ + "x", {.dimension = 2, .size = 3}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(path_)));
}

TEST_F(FlatIndexTest, ReadingGivesUpAtItsDeadline) {
  EXPECT_THAT(
      LoadFaissIndex(path_, {.dimension = 2, .size = 3}, Deadline::After({})),
      StatusIs(absl::StatusCode::kDeadlineExceeded, ::testing::_));
}

TEST_F(FlatIndexTest, IndexesWithIdsOfTheirOwnAreRefused) {
  const std::unique_ptr<faiss::Index> index(
      faiss::index_factory(2, "IDMap,Flat", faiss::METRIC_INNER_PRODUCT));
  const float vectors[] = {1, 0, 0, 1};
  const int64_t ids[] = {7, 9};
  index->add_with_ids(2, vectors, ids);
  faiss::write_index(index.get(), path_.c_str());
  EXPECT_THAT(LoadFaissIndex(path_, {.dimension = 2, .size = 2}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("not supported")));
}

TEST(FaissVersionTest, NamesReleaseAndInstructionSet) {
  EXPECT_THAT(FaissVersion(),
              ::testing::ContainsRegex("^[0-9]+\\.[0-9]+\\.[0-9]+ [A-Z0-9]+$"));
}

struct Kind {
  std::string name;
  std::string factory;
  SearchEffort effort;
};

void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.factory; }

// The promises of VectorIndex, over every kind of index that can be loaded.
class EveryKindTest : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    WriteIndex(GetParam().factory, vectors_, kDimension, path_);
    auto index = LoadFaissIndex(
        path_,
        {.dimension = kDimension, .size = kRows, .effort = GetParam().effort});
    ASSERT_THAT(index, IsOk());
    index_ = *std::move(index);
  }

  absl::Span<const float> Vector(int row) const {
    return absl::MakeConstSpan(vectors_).subspan(row * kDimension, kDimension);
  }

  const TempFolder folder_;
  const std::string path_ = folder_ / "index.faiss";
  const std::vector<float> vectors_ = UnitVectors(kRows, 1);
  std::unique_ptr<VectorIndex> index_;
};

TEST_P(EveryKindTest, FindsAVectorByItself) {
  int first = 0;
  for (int row = 0; row < kRows; row += 4) {
    const auto found = index_->Search(Vector(row), {.k = 10});
    ASSERT_THAT(found, IsOk());
    first += found->neighbors[0].row == row;
    EXPECT_TRUE(std::is_sorted(found->neighbors.begin(), found->neighbors.end(),
                               [](const Neighbor& a, const Neighbor& b) {
                                 return a.score > b.score;
                               }));
  }
  // Four-bit codes alone confuse close neighbours.
  EXPECT_GE(first, GetParam().effort.k_factor == 0 ? 50 : 95);
}

TEST_P(EveryKindTest, GivesExactlyKDistinctRowsWhateverKIs) {
  for (int k : {1, 2, 37, kRows - 1, kRows, kRows + 50}) {
    const auto found = index_->Search(Vector(3), {.k = k});
    ASSERT_THAT(found, IsOk());
    const std::vector<int32_t> rows = Rows(*found);
    EXPECT_EQ(rows.size(), std::min(k, kRows));
    EXPECT_EQ(std::set<int32_t>(rows.begin(), rows.end()).size(), rows.size());
  }
}

TEST_P(EveryKindTest, FillsUpFromAllCellsWhenTheNearOnesAreExcluded) {
  const std::vector<int32_t> nearest =
      Rows(index_->Search(Vector(5), {.k = kRows - 20}).value());
  const auto found = index_->Search(Vector(5), {.k = 20, .excluded = nearest});
  ASSERT_THAT(found, IsOk());
  std::set<int32_t> all(nearest.begin(), nearest.end());
  for (const Neighbor& neighbor : found->neighbors) {
    EXPECT_TRUE(all.insert(neighbor.row).second) << neighbor.row;
  }
  EXPECT_EQ(all.size(), kRows);
}

TEST_P(EveryKindTest, ThreadsGetTheAnswersThatOneGets) {
  std::vector<std::vector<int32_t>> alone, together(64);
  for (int q = 0; q < 64; ++q) {
    // Every other query asks for more than its cells hold.
    alone.push_back(
        Rows(index_->Search(Vector(q), {.k = q % 2 ? 350 : 10}).value()));
  }
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int q = t; q < 64; q += 4) {
        together[q] =
            Rows(index_->Search(Vector(q), {.k = q % 2 ? 350 : 10}).value());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(together, alone);
}

TEST_P(EveryKindTest, AnEffortOfItsOwnIsThatSearchsAlone) {
  const auto search = [&](int q, std::optional<SearchEffort> effort) {
    return Rows(index_->Search(Vector(q), {.k = 10, .effort = effort}).value());
  };
  // All cells, all rows refined: the best that this index can.
  const SearchEffort most = {kRows, kRows};
  auto loaded = LoadFaissIndex(
      path_, {.dimension = kDimension, .size = kRows, .effort = most});
  ASSERT_THAT(loaded, IsOk());
  std::vector<std::vector<int32_t>> usual, best;
  for (int q = 0; q < 64; ++q) {
    usual.push_back(search(q, std::nullopt));
    best.push_back(Rows((*loaded)->Search(Vector(q), {.k = 10}).value()));
  }
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int q = 0; q < 64; ++q) {
        const bool hard = (q + t) % 2 == 0;
        const auto rows = search(q, hard ? std::optional(most) : std::nullopt);
        wrong += rows != (hard ? best : usual)[q];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  if (GetParam().effort.nprobe > 0) {
    EXPECT_NE(usual, best);
  }
}

// Filters that keep much, some, little and nothing, in a pattern that has
// nothing to do with where vectors lie.
TEST_P(EveryKindTest, AFilterLeavesExactlyKOfItsRows) {
  for (const int step : {1, 2, 10, 80, 2 * kRows}) {
    std::vector<int32_t> rows;
    for (int row = step == 1 ? 0 : 7; row < kRows; row += step) {
      rows.push_back(row);
    }
    if (step == 2 * kRows) rows.clear();
    const RowSet allowed(rows);
    const std::vector<int32_t> excluded = {7, 7, 8, kRows + 3, -1};
    for (const int k : {1, 10, kRows}) {
      const auto found = index_->Search(
          Vector(5), {.k = k, .excluded = excluded, .allowed = &allowed});
      ASSERT_THAT(found, IsOk());
      int64_t there = allowed.size();
      for (const int row : {7, 8}) there -= allowed.Contains(row);
      EXPECT_EQ(found->neighbors.size(), std::min<int64_t>(k, there)) << step;
      std::set<int32_t> once;
      for (const Neighbor& neighbor : found->neighbors) {
        EXPECT_TRUE(allowed.Contains(neighbor.row)) << neighbor.row;
        EXPECT_TRUE(neighbor.row != 7 && neighbor.row != 8);
        EXPECT_TRUE(once.insert(neighbor.row).second) << neighbor.row;
      }
    }
  }
}

TEST_P(EveryKindTest, AFilterKeepsTheBestOfItsRows) {
  std::vector<int32_t> rows;
  for (int row = 0; row < kRows; row += 3) rows.push_back(row);
  const RowSet allowed(rows);
  int hits = 0;
  for (const int32_t row : rows) {
    const auto found =
        index_->Search(Vector(row), {.k = 10, .allowed = &allowed});
    ASSERT_THAT(found, IsOk());
    hits += found->neighbors[0].row == row;
  }
  // Four-bit codes alone confuse close neighbours.
  const bool coarse = GetParam().effort.k_factor == 0;
  EXPECT_GE(hits, coarse ? 66 : 130) << "of " << rows.size();
}

TEST_P(EveryKindTest, RowsFarFromTheQueryAreFoundAllTheSame) {
  // The 30 rows that are farthest from the query: probed cells hold few.
  const std::vector<int32_t> all =
      Rows(index_->Search(Vector(5), {.k = kRows}).value());
  const RowSet allowed(absl::MakeConstSpan(all).last(30));
  const auto found = index_->Search(Vector(5), {.k = 20, .allowed = &allowed});
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(found->neighbors.size(), 20);
}

INSTANTIATE_TEST_SUITE_P(
    Table, EveryKindTest,
    ::testing::Values(
        Kind{"Flat", "Flat", {0, 0}}, Kind{"Sq8", "SQ8", {0, 0}},
        Kind{"Graph", "HNSW16,Flat", {0, 0}},
        Kind{"CellsOfFlat", "IVF8,Flat", {2, 0}},
        Kind{"CellsOfSq8", "IVF8,SQ8", {2, 0}},
        Kind{"CellsOfPq", "IVF4,PQ4x4", {1, 0}},
        Kind{"FastScan", "IVF4_HNSW8,PQ8x4fs", {1, 0}},
        Kind{"FastScanRefinedBySq8", "IVF8_HNSW8,PQ4x4fs,Refine(SQ8)", {2, 4}},
        Kind{"FastScanRefinedByFloats", "IVF8_HNSW8,PQ4x4fs,RFlat", {2, 4}},
        Kind{"FastScanOfResiduals", "IVF8_HNSW8,PQ4x4fsr,RFlat", {2, 4}},
        Kind{"Rotated", "OPQ4_8,IVF8,PQ4x4fs,RFlat", {2, 4}},
        Kind{"Projected", "PCA6,IVF8,Flat", {4, 0}},
        Kind{"FlatFastScanRefined", "PQ4x4fs,RFlat", {0, 4}}),
    [](const auto& info) { return info.param.name; });

TEST(FaissIndexSettingsTest, EffortsBelowOneAreRefused) {
  const TempFolder folder;
  const std::string path = folder / "index.faiss";
  const std::vector<float> vectors = UnitVectors(kRows, 1);
  WriteIndex("IVF8,PQ4x4fs,RFlat", vectors, kDimension, path);
  const auto index = LoadFaissIndex(
      path, {.dimension = kDimension, .size = kRows, .effort = {1, 1}});
  ASSERT_THAT(index, IsOk());
  const auto query = absl::MakeConstSpan(vectors).first(kDimension);
  EXPECT_THAT((*index)->Search(query, {.k = 1, .effort = SearchEffort{0, 1}}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("nprobe must be positive")));
  EXPECT_THAT((*index)->Search(query, {.k = 1, .effort = SearchEffort{1, 0}}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("k_factor must be positive")));
}

TEST(FaissIndexSettingsTest, CellsNeedNprobeAndRefinementNeedsKFactor) {
  const TempFolder folder;
  const std::string path = folder / "index.faiss";
  WriteIndex("IVF8,PQ4x4fs,RFlat", UnitVectors(kRows, 1), kDimension, path);
  EXPECT_THAT(
      LoadFaissIndex(
          path, {.dimension = kDimension, .size = kRows, .effort = {0, 4}}),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               HasSubstr("nprobe must be positive")));
  EXPECT_THAT(
      LoadFaissIndex(
          path, {.dimension = kDimension, .size = kRows, .effort = {4, 0}}),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               HasSubstr("k_factor must be positive")));
}

}  // namespace
}  // namespace segue
