// Searches under a filter, in an index large enough that each way of searching
// is the cheapest for some filter.
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/index_factory.h>
#include <faiss/index_io.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <vector>

#include "core/index/exact_search.h"
#include "core/index/faiss_index.h"
#include "core/index/faiss_layers.h"
#include "core/index/faiss_support.h"
#include "core/metrics/overlap.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"

namespace segue {
namespace {

using testing::IsOk;
using testing::TempFolder;

constexpr int kDimension = 16;
constexpr int kRows = 20000;
constexpr int kK = 20;

constexpr int kClusters = 100;

// Unit vectors around centres, as towers give them: row r around centre
// r % kClusters.
std::vector<float> ClusteredVectors(int rows, uint32_t seed) {
  const auto draw = [](std::mt19937& from) {
    return static_cast<float>(from() % 2001) / 1000 - 1;
  };
  std::mt19937 centres_random(99), random(seed);
  std::vector<float> centres(kClusters * kDimension);
  for (float& value : centres) value = draw(centres_random);
  std::vector<float> vectors(rows * kDimension);
  for (int row = 0; row < rows; ++row) {
    const float* centre = centres.data() + row % kClusters * kDimension;
    float* x = vectors.data() + row * kDimension;
    float squares = 0;
    for (int i = 0; i < kDimension; ++i) {
      x[i] = centre[i] + 0.5f * draw(random);
      squares += x[i] * x[i];
    }
    for (int i = 0; i < kDimension; ++i) x[i] /= std::sqrt(squares);
  }
  return vectors;
}

// Built once: the tests only search.
class FilteredSearchTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    vectors_ = ClusteredVectors(kRows, 1);
    // OpenBLAS waits for ever for a team that OMP_THREAD_LIMIT makes smaller.
    ScopedOmpThreads alone(1);
    const TempFolder folder;
    const std::string path = folder / "index.faiss";
    const std::unique_ptr<faiss::Index> index(
        faiss::index_factory(kDimension, "IVF128_HNSW16,PQ8x4fs,RFlat",
                             faiss::METRIC_INNER_PRODUCT));
    index->train(kRows, vectors_.data());
    index->add(kRows, vectors_.data());
    faiss::write_index(index.get(), path.c_str());
    auto loaded = LoadFaissIndex(
        path, {.dimension = kDimension, .size = kRows, .effort = {24, 20}});
    ASSERT_THAT(loaded, IsOk());
    index_ = std::move(*loaded);
  }
  static void TearDownTestSuite() { index_.reset(); }

  static absl::Span<const float> Query(int q) {
    return absl::MakeConstSpan(vectors_).subspan(q * kDimension, kDimension);
  }
  static float Score(int q, int row) {
    float dot = 0;
    for (int i = 0; i < kDimension; ++i) dot += Query(q)[i] * Query(row)[i];
    return dot;
  }
  // Rows of `from`, best first.
  static std::vector<int32_t> Ranked(int q, std::vector<int32_t> from) {
    std::sort(from.begin(), from.end(),
              [&](int32_t a, int32_t b) { return Score(q, a) > Score(q, b); });
    return from;
  }
  static std::vector<int32_t> Every(int step) {
    std::vector<int32_t> rows;
    for (int row = 0; row < kRows; row += step) rows.push_back(row);
    return rows;
  }
  // Overlap with the exact answer among `rows`; `by` is how it was found.
  static double Overlap(int q, const std::vector<int32_t>& rows,
                        const std::vector<int32_t>& excluded, FoundBy& by,
                        std::optional<SearchEffort> effort = std::nullopt) {
    const RowSet allowed(rows);
    const auto found = index_->Search(
        Query(q),
        {.k = kK, .excluded = excluded, .allowed = &allowed, .effort = effort});
    EXPECT_THAT(found, IsOk());
    if (!found.ok()) return 0;
    by = found->by;
    std::vector<int32_t> answered;
    for (const Neighbor& one : found->neighbors) answered.push_back(one.row);
    EXPECT_EQ(answered.size(), kK);
    const std::set<int32_t> out(excluded.begin(), excluded.end());
    std::vector<int32_t> exact;
    for (const int32_t row : Ranked(q, rows)) {
      if (out.count(row) == 0) exact.push_back(row);
    }
    return OverlapAtK(exact, answered, kK);
  }

  static std::vector<float> vectors_;
  static std::unique_ptr<VectorIndex> index_;
};
std::vector<float> FilteredSearchTest::vectors_;
std::unique_ptr<VectorIndex> FilteredSearchTest::index_;

TEST_F(FilteredSearchTest, EachWayIsTakenAndFindsWhatItShould) {
  std::set<FoundBy> ways;
  // Steps that share nothing with the number of clusters.
  for (const int step : {1, 3, 11, 29, 61, 501}) {
    double sum = 0;
    for (int q = 0; q < 20; ++q) {
      FoundBy by = FoundBy::kIndex;
      sum += Overlap(q * 7, Every(step), {}, by);
      ways.insert(by);
    }
    EXPECT_GE(sum / 20, 0.95) << "one row in " << step;
  }
  EXPECT_EQ(ways, (std::set<FoundBy>{FoundBy::kMoreCandidates, FoundBy::kCells,
                                     FoundBy::kExact}));
}

TEST_F(FilteredSearchTest, AFilterAgainstTheQueryFindsTheBestThatAreLeft) {
  double sum = 0;
  for (int q = 0; q < 10; ++q) {
    // Half of the clusters, and not the ones that the query is near.
    std::set<int32_t> near;
    for (const int32_t row : Ranked(q * 7, Every(1))) {
      if (near.size() < kClusters / 2) near.insert(row % kClusters);
    }
    std::vector<int32_t> rows;
    for (int row = 0; row < kRows; ++row) {
      if (near.count(row % kClusters) == 0) rows.push_back(row);
    }
    FoundBy by = FoundBy::kIndex;
    sum += Overlap(q * 7, rows, {}, by);
    EXPECT_NE(by, FoundBy::kMoreCandidates);
  }
  EXPECT_GE(sum / 10, 0.95);
}

TEST_F(FilteredSearchTest, ExcludedNeighboursLeaveRoomUnderAFilterToo) {
  double sum = 0;
  for (int q = 0; q < 10; ++q) {
    std::vector<int32_t> nearest = Ranked(q * 7, Every(1));
    // More than the candidates that are refined.
    nearest.resize(500);
    FoundBy by = FoundBy::kExact;
    sum += Overlap(q * 7, Every(1), nearest, by, SearchEffort{64, 2});
    EXPECT_EQ(by, FoundBy::kMoreCandidates);
  }
  EXPECT_GE(sum / 10, 0.95);
}

TEST(CellGraphTest, FindsNearlyAllOfManyCells) {
  constexpr int kCells = 1024;
  constexpr int kWanted = 200;
  ScopedOmpThreads alone(1);
  const std::vector<float> centroids = ClusteredVectors(kCells, 2);
  faiss::IndexHNSWFlat graph(kDimension, 32, faiss::METRIC_INNER_PRODUCT);
  graph.add(kCells, centroids.data());
  const CellGraph cells(graph);
  const std::vector<float> queries = ClusteredVectors(20, 3);
  faiss::IndexFlatIP flat(kDimension);
  flat.add(kCells, centroids.data());
  std::vector<float> distances(20 * kWanted);
  std::vector<faiss::Index::idx_t> found(20 * kWanted), exact(20 * kWanted);
  cells.search(20, queries.data(), kWanted, distances.data(), found.data(),
               nullptr);
  flat.search(20, queries.data(), kWanted, distances.data(), exact.data());
  int hits = 0;
  for (int q = 0; q < 20; ++q) {
    const std::set<int64_t> there(found.begin() + q * kWanted,
                                  found.begin() + (q + 1) * kWanted);
    EXPECT_EQ(there.size(), kWanted);
    for (int i = 0; i < kWanted; ++i)
      hits += there.count(exact[q * kWanted + i]);
  }
  EXPECT_GE(hits, 20 * kWanted * 0.995);
}

TEST(CellGraphTest, MoreThanThereAreIsPadded) {
  ScopedOmpThreads alone(1);
  const std::vector<float> centroids = ClusteredVectors(3, 2);
  faiss::IndexHNSWFlat graph(kDimension, 32, faiss::METRIC_INNER_PRODUCT);
  graph.add(3, centroids.data());
  std::vector<float> distances(5);
  std::vector<faiss::Index::idx_t> found(5);
  CellGraph(graph).search(1, centroids.data(), 5, distances.data(),
                          found.data(), nullptr);
  EXPECT_EQ(std::set<int64_t>(found.begin(), found.begin() + 3),
            (std::set<int64_t>{0, 1, 2}));
  EXPECT_EQ(found[3], -1);
  EXPECT_EQ(found[4], -1);
}

}  // namespace
}  // namespace segue
