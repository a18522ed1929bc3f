#include "core/index_build/index_append.h"

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "core/index/faiss_index.h"
#include "core/index_build/index_builder.h"
#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"

namespace segue {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;
using testing::TempFolder;

constexpr int kDimension = 8;

// Unit vectors; those of `side` have a first number of its sign.
std::vector<float> Vectors(int rows, uint32_t seed, float side) {
  std::mt19937 random(seed);
  std::vector<float> vectors(rows * kDimension);
  for (int row = 0; row < rows; ++row) {
    float* x = vectors.data() + row * kDimension;
    float squares = 0;
    for (int i = 0; i < kDimension; ++i) {
      x[i] = static_cast<float>(random() % 2001) / 1000 - 1;
      if (i == 0) x[i] = side * std::abs(x[i]);
      squares += x[i] * x[i];
    }
    for (int i = 0; i < kDimension; ++i) x[i] /= std::sqrt(squares);
  }
  return vectors;
}

class IndexAppendTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    v1::IndexConfig config;
    config.set_kind(v1::IndexConfig::FACTORY);
    config.set_factory(GetParam());
    config.set_at_k(10);
    config.set_if_missed(v1::IndexConfig::KEEP_BEST);
    const auto built = BuildIndex({.dimension = kDimension,
                                   .vectors = old_,
                                   .config = config,
                                   .threads = 1},
                                  from_);
    ASSERT_THAT(built, IsOk());
    effort_ = built->effort;
  }

  const TempFolder folder_;
  const std::string from_ = folder_ / "from.faiss";
  const std::string to_ = folder_ / "to.faiss";
  const std::vector<float> old_ = Vectors(1000, 1, 1);
  const std::vector<float> added_ = Vectors(50, 2, 1);
  SearchEffort effort_;
};

TEST_P(IndexAppendTest, OldRowsStayAndNewOnesAreFound) {
  const auto appended =
      AppendToIndex(from_, to_, added_, old_, kDimension, /*threads=*/2);
  ASSERT_THAT(appended, IsOk());
  EXPECT_EQ(appended->bytes, ReadFile(to_, 1 << 24)->size());
  const auto index = LoadFaissIndex(
      to_, {.dimension = kDimension, .size = 1050, .effort = effort_});
  ASSERT_THAT(index, IsOk());
  int found = 0;
  for (int row = 0; row < 1050; row += 25) {
    const std::vector<float>& from = row < 1000 ? old_ : added_;
    const int place = row < 1000 ? row : row - 1000;
    const auto nearest = (*index)->Search(
        absl::MakeConstSpan(from).subspan(place * kDimension, kDimension),
        {.k = 10});
    ASSERT_THAT(nearest, IsOk());
    for (const Neighbor& one : nearest->neighbors) found += one.row == row;
  }
  EXPECT_GE(found, 41);  // of 42
}

TEST_P(IndexAppendTest, BytesDoNotDependOnTheThreads) {
  ASSERT_THAT(AppendToIndex(from_, to_, added_, old_, kDimension, 1), IsOk());
  const auto alone = ReadFile(to_, 1 << 24);
  ASSERT_THAT(AppendToIndex(from_, to_, added_, old_, kDimension, 2), IsOk());
  EXPECT_EQ(*alone, *ReadFile(to_, 1 << 24));
}

INSTANTIATE_TEST_SUITE_P(Kinds, IndexAppendTest,
                         ::testing::Values("Flat",
                                           "IVF16_HNSW32,PQ4x4fs,Refine(SQ8)",
                                           "IVF16,SQ8", "HNSW16"),
                         [](const auto& info) {
                           return std::string(info.param).substr(0, 4) +
                                  std::to_string(info.index);
                         });

class IndexFitTest : public IndexAppendTest {};

TEST_P(IndexFitTest, VectorsFromElsewhereFitWorse) {
  const auto like =
      AppendToIndex(from_, to_, added_, old_, kDimension, /*threads=*/1);
  const auto unlike = AppendToIndex(from_, to_, Vectors(50, 3, -1), old_,
                                    kDimension, /*threads=*/1);
  ASSERT_THAT(like, IsOk());
  ASSERT_THAT(unlike, IsOk());
  EXPECT_NEAR(like->fit, like->known_fit, .05);
  EXPECT_LT(unlike->fit, unlike->known_fit - .1);
}

TEST_P(IndexFitTest, WhatIsNoSuchIndexIsRefusedByName) {
  EXPECT_THAT(AppendToIndex(from_, to_, {}, {}, 9, 1),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("from.faiss has 8 dimensions, 9")));
  ASSERT_THAT(WriteFileAtomically(from_, "not an index"), IsOk());
  EXPECT_THAT(AppendToIndex(from_, to_, added_, old_, kDimension, 1),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("from.faiss")));
}

INSTANTIATE_TEST_SUITE_P(Cells, IndexFitTest, ::testing::Values("IVF16,SQ8"));

}  // namespace
}  // namespace segue
