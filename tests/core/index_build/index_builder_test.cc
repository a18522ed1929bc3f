#include "core/index_build/index_builder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "core/base/file.h"
#include "core/index/exact_search.h"
#include "core/index/faiss_index.h"
#include "core/index_build/structure_trials.h"
#include "core/metrics/overlap.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"

namespace segue {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;
using testing::StatusIs;
using testing::TempFolder;

constexpr int kDimension = 16;

// Unit vectors around a few centres, as towers give them.
std::vector<float> ClusteredVectors(int rows, uint32_t seed) {
  std::mt19937 centres_random(99), random(seed);
  const auto draw = [](std::mt19937& from) {
    return static_cast<float>(from() % 2001) / 1000 - 1;
  };
  std::vector<float> centres(20 * kDimension);
  for (float& value : centres) value = draw(centres_random);
  std::vector<float> vectors(rows * kDimension);
  for (int row = 0; row < rows; ++row) {
    const float* centre = centres.data() + random() % 20 * kDimension;
    float* x = vectors.data() + row * kDimension;
    float squares = 0;
    for (int i = 0; i < kDimension; ++i) {
      x[i] = centre[i] + 0.4f * draw(random);
      squares += x[i] * x[i];
    }
    for (int i = 0; i < kDimension; ++i) x[i] /= std::sqrt(squares);
  }
  return vectors;
}

class IndexBuilderTest : public ::testing::Test {
 protected:
  IndexBuilderTest() {
    inputs_.dimension = kDimension;
    inputs_.vectors = vectors_;
    inputs_.queries = queries_;
    inputs_.config.set_kind(v1::IndexConfig::HNSW_IVF_PQ);
    inputs_.config.set_at_k(10);
    // What a byte a dimension leaves of so few dimensions.
    inputs_.config.set_target_overlap(0.95);
    // One structure; tests of the choice among them clear it.
    inputs_.config.set_refine(v1::IndexConfig::SQ8);
    inputs_.progress = [this](absl::string_view line) {
      lines_.emplace_back(line);
    };
  }

  std::string BytesBuiltWith(int threads) {
    inputs_.threads = threads;
    EXPECT_THAT(BuildIndex(inputs_, path_), IsOk());
    return ReadFile(path_, 1 << 24).value();
  }

  const TempFolder folder_;
  const std::string path_ = folder_ / "index.faiss";
  std::vector<float> vectors_ = ClusteredVectors(3000, 1);
  const std::vector<float> queries_ = ClusteredVectors(100, 2);
  std::vector<std::string> lines_;
  IndexBuildInputs inputs_;
};

TEST_F(IndexBuilderTest, ReachesTheTargetAndServesWhatItMeasured) {
  const auto built = BuildIndex(inputs_, path_);
  ASSERT_THAT(built, IsOk());
  EXPECT_EQ(built->description, "IVF64_HNSW32,PQ8x4fs,Refine(SQ8)");
  EXPECT_GE(built->overlap, 0.95);
  EXPECT_EQ(built->bytes, ReadFile(path_, 1 << 24)->size());

  const auto index = LoadFaissIndex(
      path_, {.dimension = kDimension, .size = 3000, .effort = built->effort});
  ASSERT_THAT(index, IsOk());
  const auto exact =
      ExactTopK(vectors_, queries_, kDimension, 10, 1, /*excluded=*/{});
  double sum = 0;
  for (int q = 0; q < 100; ++q) {
    const auto found = (*index)->Search(
        absl::MakeConstSpan(queries_).subspan(q * kDimension, kDimension),
        {.k = 10});
    std::vector<int32_t> expected_rows, rows;
    for (const Neighbor& one : (*exact)[q]) expected_rows.push_back(one.row);
    for (const Neighbor& one : found->neighbors) rows.push_back(one.row);
    sum += OverlapAtK(expected_rows, rows, 10);
  }
  EXPECT_NEAR(sum / 100, built->overlap, 1e-9);
  // The chosen setting is one of those that were tried.
  bool tried = false;
  for (const IndexTrial& trial : built->trials) {
    EXPECT_GT(trial.microseconds_per_query, 0);
    tried = tried || (trial.k == 10 && trial.effort == built->effort &&
                      trial.overlap == built->overlap);
  }
  EXPECT_TRUE(tried);
  // And its table knows it.
  EXPECT_EQ(built->efforts.Reach(10, 0.95).effort, built->effort);
}

TEST_F(IndexBuilderTest, WhatIsNotFoundIsLostSomewhere) {
  for (const auto refine : {v1::IndexConfig::SQ8, v1::IndexConfig::NONE}) {
    inputs_.config.set_refine(refine);
    inputs_.config.set_nprobe(4);
    inputs_.config.set_k_factor(2);
    const auto built = BuildIndex(inputs_, path_);
    ASSERT_THAT(built, IsOk());
    const OverlapLosses& lost = built->losses;
    EXPECT_LT(built->overlap, 1);
    EXPECT_NEAR(built->overlap + lost.cells + lost.codes + lost.refinement, 1,
                1e-9);
    EXPECT_GT(lost.cells, 0);
    EXPECT_GT(lost.codes, 0);
  }
}

TEST_F(IndexBuilderTest, FiltersAreTriedAsFarAsTheyKeepAnItem) {
  const auto built = BuildIndex(inputs_, path_);
  ASSERT_THAT(built, IsOk());
  // .1 % of 3,000 items are 3, .01 % none.
  ASSERT_EQ(built->filters.size(), 4u);
  EXPECT_EQ(built->filters[0].share, 0.5);
  for (const FilterTrial& tried : built->filters) {
    EXPECT_GE(tried.overlap, 0.9) << tried.share;
    EXPECT_LE(tried.overlap, 1) << tried.share;
    EXPECT_GT(tried.microseconds_per_query, 0);
  }
}

TEST_F(IndexBuilderTest,
       OfStructuresThatReachTheTargetTheLeastInTimeAndBytesIsBuilt) {
  inputs_.config.clear_refine();
  const auto built = BuildIndex(inputs_, path_);
  ASSERT_THAT(built, IsOk());
  ASSERT_EQ(built->structures.size(), 4u);
  EXPECT_EQ(built->description, built->structures[0].plan.factory);
  EXPECT_GE(built->overlap, 0.95);
  for (size_t i = 1; i < built->structures.size(); ++i) {
    const StructureTrial& a = built->structures[i - 1];
    const StructureTrial& b = built->structures[i];
    EXPECT_GE(a.overlap >= 0.95, b.overlap >= 0.95);
    if (b.overlap >= 0.95) {
      EXPECT_LE(a.cost * a.bytes_per_item, b.cost * b.bytes_per_item);
    }
  }
  // The estimate is that of the file, but for headers.
  EXPECT_NEAR(built->structures[0].bytes_per_item,
              static_cast<double>(built->bytes) / 3000, 4);
}

TEST_F(IndexBuilderTest, BytesAnItemAreKeptOrRefused) {
  inputs_.config.clear_refine();
  inputs_.config.set_target_overlap(0.9);
  inputs_.config.set_max_bytes_per_item(35);
  const auto small = BuildIndex(inputs_, path_);
  ASSERT_THAT(small, IsOk());
  EXPECT_LE(small->bytes, 35 * 3000);
  inputs_.config.set_max_bytes_per_item(9);
  EXPECT_THAT(BuildIndex(inputs_, path_),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("max_bytes_per_item is 9; the smallest")));
}

TEST_F(IndexBuilderTest, ALatencyThatNoSearchHasIsRefused) {
  inputs_.config.set_max_latency_us(1e-6);
  EXPECT_THAT(BuildIndex(inputs_, path_),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("index.max_latency_us is 0"),
                             Not(HasSubstr("KEEP_BEST")))));
  inputs_.config.set_kind(v1::IndexConfig::FLAT);
  EXPECT_THAT(BuildIndex(inputs_, path_),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("the closest: Flat")));
}

TEST_F(IndexBuilderTest, WhatIsOverALimitIsNeverKept) {
  inputs_.config.set_nprobe(4);
  inputs_.config.set_if_missed(v1::IndexConfig::KEEP_BEST);
  inputs_.config.set_max_bytes_per_item(9);
  EXPECT_THAT(BuildIndex(inputs_, path_),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("index.max_bytes_per_item is 9")));
}

TEST_F(IndexBuilderTest, APartThatWouldBeFlatIsTriedAsCells) {
  inputs_.config.clear_refine();
  inputs_.config.set_kind(v1::IndexConfig::AUTO);
  inputs_.config.set_flat_limit(2000);
  const auto tried = TryStructures(inputs_, path_, /*trial_items=*/500);
  ASSERT_THAT(tried, IsOk());
  EXPECT_EQ(tried->size(), 4u);
}

TEST_F(IndexBuilderTest, BytesAreTheSameEachTimeWhateverTheThreads) {
  const std::string first = BytesBuiltWith(1);
  EXPECT_TRUE(BytesBuiltWith(2) == first);
  EXPECT_TRUE(BytesBuiltWith(2) == first);
}

TEST_F(IndexBuilderTest, AnotherSeedDrawsAnotherSample) {
  inputs_.config.set_max_training_vectors(1000);
  const std::string first = BytesBuiltWith(1);
  inputs_.seed = 2;
  EXPECT_FALSE(BytesBuiltWith(1) == first);
}

TEST_F(IndexBuilderTest, SmallCataloguesAreFlatAndExact) {
  inputs_.config.set_kind(v1::IndexConfig::AUTO);
  const auto built = BuildIndex(inputs_, path_);
  ASSERT_THAT(built, IsOk());
  EXPECT_EQ(built->description, "Flat");
  EXPECT_EQ(built->overlap, 1);
  EXPECT_EQ(built->effort.nprobe, 0);
  EXPECT_EQ(built->effort.k_factor, 0);
  EXPECT_TRUE(built->trials.empty());
}

TEST_F(IndexBuilderTest, ThreeHundredVectorsAreEnoughForCells) {
  inputs_.vectors = absl::MakeConstSpan(vectors_).subspan(0, 300 * kDimension);
  const auto built = BuildIndex(inputs_, path_);
  ASSERT_THAT(built, IsOk());
  EXPECT_THAT(built->description, HasSubstr("IVF4_HNSW32"));
  EXPECT_GE(built->overlap, 0.9);
}

TEST_F(IndexBuilderTest, WithoutQueriesItTunesOnTheItems) {
  inputs_.queries = {};
  const auto built = BuildIndex(inputs_, path_);
  ASSERT_THAT(built, IsOk());
  EXPECT_GT(built->overlap, 0.9);
}

TEST_F(IndexBuilderTest, ATargetOutOfReachIsRefusedUnlessTheBestWillDo) {
  inputs_.config.set_refine(v1::IndexConfig::NONE);
  inputs_.config.set_pq_m(1);
  EXPECT_THAT(BuildIndex(inputs_, path_),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("the closest: IVF64_HNSW32,PQ1x4fs"),
                             HasSubstr("target_overlap is 0.9500"))));
  inputs_.config.set_if_missed(v1::IndexConfig::KEEP_BEST);
  const auto built = BuildIndex(inputs_, path_);
  ASSERT_THAT(built, IsOk());
  EXPECT_LT(built->overlap, 0.9);
  EXPECT_THAT(lines_, Contains(HasSubstr("WARNING: it finds")));
}

TEST_F(IndexBuilderTest, FixedSettingsAreMeasuredNotHeldToTheTarget) {
  inputs_.config.set_nprobe(1);
  inputs_.config.set_k_factor(1);
  const auto built = BuildIndex(inputs_, path_);
  ASSERT_THAT(built, IsOk());
  EXPECT_LT(built->overlap, 0.97);
  EXPECT_EQ(built->effort, (SearchEffort{1, 1}));
}

TEST_F(IndexBuilderTest, FactoryStringsOfEveryShapeAreBuilt) {
  inputs_.config.set_kind(v1::IndexConfig::FACTORY);
  inputs_.config.set_if_missed(v1::IndexConfig::KEEP_BEST);
  for (const char* factory :
       {"HNSW16,Flat", "OPQ8_16,IVF16_HNSW8,PQ8x4fs,RFlat", "IVF16,SQ8"}) {
    inputs_.config.set_factory(factory);
    const auto built = BuildIndex(inputs_, path_);
    ASSERT_THAT(built, IsOk()) << factory;
    EXPECT_GT(built->overlap, 0.9) << factory;
  }
}

TEST_F(IndexBuilderTest, WhatFaissRefusesIsTheConfigsFault) {
  inputs_.config.set_kind(v1::IndexConfig::FACTORY);
  for (const char* factory : {"NoSuchIndex", "IVF16,PQ7x4fs"}) {
    inputs_.config.set_factory(factory);
    EXPECT_THAT(
        BuildIndex(inputs_, path_),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(factory)));
  }
}

TEST_F(IndexBuilderTest, AVectorThatIsNotFiniteOrZeroIsRefusedByItsRow) {
  vectors_[5 * kDimension + 3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(BuildIndex(inputs_, path_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("row 5")));
  std::fill_n(vectors_.begin() + 5 * kDimension, kDimension, 0.0f);
  EXPECT_THAT(
      BuildIndex(inputs_, path_),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("row 5 is zero")));
}

TEST_F(IndexBuilderTest, NoVectorsAndTornRowsAreRefused) {
  inputs_.vectors = absl::MakeConstSpan(vectors_).subspan(0, 17);
  EXPECT_THAT(BuildIndex(inputs_, path_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("whole")));
  inputs_.vectors = {};
  EXPECT_THAT(BuildIndex(inputs_, path_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("whole")));
}

}  // namespace
}  // namespace segue
