#include <ostream>
#include <string>

#include "core/index_build/index_builder.h"
#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

struct Case {
  std::string name;
  int64_t items;
  int32_t dimension;
  std::string factory;
  int32_t nlist;
};

void PrintTo(const Case& test, std::ostream* out) { *out << test.name; }

// The first structure.
absl::StatusOr<IndexPlan> PlanIndex(const v1::IndexConfig& config,
                                    int64_t items, int32_t dimension) {
  auto plans = PlanIndexes(config, items, dimension);
  if (!plans.ok()) return plans.status();
  return plans->front();
}

class PlanIndexTest : public ::testing::TestWithParam<Case> {};

TEST_P(PlanIndexTest, ChoosesSizesFromTheNumberOfItems) {
  const Case& test = GetParam();
  v1::IndexConfig config;
  config.set_kind(v1::IndexConfig::HNSW_IVF_PQ);
  const auto plan = PlanIndex(config, test.items, test.dimension);
  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(plan->factory, test.factory);
  EXPECT_EQ(plan->nlist, test.nlist);
}

INSTANTIATE_TEST_SUITE_P(
    Table, PlanIndexTest,
    ::testing::Values(
        Case{"Yambda", 877168, 128, "IVF4096_HNSW32,PQ64x4fs,Refine(SQ8)",
             4096},
        Case{"Synth", 200000, 128, "IVF2048_HNSW32,PQ64x4fs,Refine(SQ8)", 2048},
        // 512 cells would have 26 training vectors each.
        Case{"FewVectorsACell", 13500, 128,
             "IVF256_HNSW32,PQ64x4fs,Refine(SQ8)", 256},
        Case{"Tiny", 300, 16, "IVF4_HNSW32,PQ8x4fs,Refine(SQ8)", 4},
        Case{"OddDimension", 300, 15, "IVF4_HNSW32,PQ5x4fs,Refine(SQ8)", 4},
        Case{"OneDimension", 300, 1, "IVF4_HNSW32,PQ1x4fs,Refine(SQ8)", 4},
        Case{"TooFewForCells", 100, 16, "Flat", 0}),
    [](const auto& info) { return info.param.name; });

TEST(PlanIndexConfigTest, AutoIsFlatUpToTheLimit) {
  v1::IndexConfig config;
  config.set_flat_limit(1000);
  EXPECT_EQ(PlanIndex(config, 1000, 8)->factory, "Flat");
  EXPECT_THAT(PlanIndex(config, 1001, 8)->factory, HasSubstr("IVF"));
}

TEST(PlanIndexConfigTest, FlatStaysFlatWhateverTheSize) {
  v1::IndexConfig config;
  config.set_kind(v1::IndexConfig::FLAT);
  EXPECT_EQ(PlanIndex(config, 10000000, 8)->factory, "Flat");
}

TEST(PlanIndexConfigTest, TheConfigsSizesAndRefinementAreTaken) {
  v1::IndexConfig config;
  config.set_kind(v1::IndexConfig::HNSW_IVF_PQ);
  config.set_nlist(10);
  config.set_pq_m(4);
  config.set_refine(v1::IndexConfig::FLOAT32);
  EXPECT_EQ(PlanIndex(config, 500, 16)->factory, "IVF10_HNSW32,PQ4x4fs,RFlat");
  config.set_refine(v1::IndexConfig::NONE);
  EXPECT_EQ(PlanIndex(config, 500, 16)->factory, "IVF10_HNSW32,PQ4x4fs");
}

TEST(PlanIndexConfigTest, FewerTrainingVectorsMakeFewerCells) {
  v1::IndexConfig config;
  config.set_kind(v1::IndexConfig::HNSW_IVF_PQ);
  config.set_max_training_vectors(39 * 64);
  EXPECT_EQ(PlanIndex(config, 1000000, 16)->nlist, 64);
}

TEST(TrainingVectorsTest, SufficeForCellsWithinItemsAndTheLimit) {
  v1::IndexConfig config;
  EXPECT_EQ(TrainingVectors(config, 1000, 8), 1000);
  EXPECT_EQ(TrainingVectors(config, 5000000, 0), 300000);
  EXPECT_EQ(TrainingVectors(config, 5000000, 4096), 300000);
  EXPECT_EQ(TrainingVectors(config, 5000000, 8192), 39 * 8192);
  config.set_max_training_vectors(310000);
  EXPECT_EQ(TrainingVectors(config, 5000000, 8192), 310000);
}

TEST(PlanIndexConfigTest, AFactoryStringIsTakenAsItIs) {
  v1::IndexConfig config;
  config.set_kind(v1::IndexConfig::FACTORY);
  config.set_factory("OPQ16,IVF64,PQ16");
  EXPECT_EQ(PlanIndex(config, 500, 32)->factory, "OPQ16,IVF64,PQ16");
  EXPECT_EQ(PlanIndex(config, 500, 32)->nlist, 64);
}

TEST(PlanIndexConfigTest, ContradictionsNameTheFieldAndBothValues) {
  v1::IndexConfig config;
  config.set_kind(v1::IndexConfig::FACTORY);
  EXPECT_THAT(
      PlanIndex(config, 500, 32),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("index.factory")));
  config.set_kind(v1::IndexConfig::HNSW_IVF_PQ);
  config.set_pq_m(5);
  EXPECT_THAT(PlanIndex(config, 500, 32),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("5 sub-quantisers do not divide 32")));
  config.clear_pq_m();
  config.set_nlist(501);
  EXPECT_THAT(PlanIndex(config, 500, 32),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("501 cells are more than the 500 items")));
  EXPECT_THAT(
      PlanIndex(v1::IndexConfig(), 0, 32),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("0 vectors")));
}

}  // namespace
}  // namespace segue
