#include "trainer/model/row_encoder.h"

#include <omp.h>

#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/trainer/model/tiny_dataset.h"

namespace segue {
namespace {

using segue::testing::Categories;
using segue::testing::Numbers;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::FloatNear;
using ::testing::IsEmpty;
using ::testing::Pointwise;

// So large an epsilon makes a step plain gradient descent at a rate of 1: what
// a weight loses is its gradient.
const AdamWOptions kDescent = {
    .learning_rate = 1e6, .epsilon = 1e6, .weight_decay = 0};

// Items a, b, c with genres and a length; "c" was not trained.
void Apply(RowEncoder& encoder, const std::vector<float>& gradients) {
  encoder.SumGradients(gradients);
  encoder.ApplyGradients(/*scale=*/1);
}

class RowEncoderTest : public ::testing::Test {
 protected:
  RowEncoderTest() {
    for (const char* id : {"a", "b", "c"}) items_.Add(id);
    RowEncoder::Options options = Options();
    options.trained = {true, true, false};
    encoder_ = std::make_unique<RowEncoder>(options);
    SetWeights(*encoder_, 0, {1, 2, 3, 4, 5, 6, 7, 8});
    SetWeights(*encoder_, 1, {10, 20, 30, 40, 50, 60});
  }

  RowEncoder::Options Options() const {
    v1::NumericScale scale;
    scale.set_mean(20);
    scale.set_standard_deviation(10);
    return {.ids = &items_,
            .entities = 3,
            .id_width = 2,
            .features = {{.table = &genres_, .width = 2},
                         {.table = &lengths_, .width = 1, .scale = scale}},
            .adamw = kDescent};
  }

  // [rows, width] of the encoder's n-th table.
  static void SetWeights(RowEncoder& encoder, int n,
                         const std::vector<float>& weights) {
    EmbeddingTable& table = *encoder.tables()[n];
    ASSERT_EQ(static_cast<int64_t>(weights.size()),
              table.rows() * table.width());
    for (size_t i = 0; i < weights.size(); ++i) {
      table.state()[Place(table, i)] = weights[i];
    }
  }
  static std::vector<float> Weights(RowEncoder& encoder, int n) {
    EmbeddingTable& table = *encoder.tables()[n];
    std::vector<float> weights;
    for (int64_t i = 0; i < table.rows() * table.width(); ++i) {
      weights.push_back(table.state()[Place(table, i)]);
    }
    return weights;
  }
  // Moments stand between the rows of weights.
  static size_t Place(const EmbeddingTable& table, size_t i) {
    return i / table.width() * 3 * table.width() + i % table.width();
  }

  std::vector<float> Read(int64_t row, Hidden hidden = Hidden::kNothing) const {
    std::vector<float> out(encoder_->width());
    encoder_->Read(row, hidden, absl::MakeSpan(out));
    return out;
  }

  Vocabulary items_{1};
  const FeatureTable genres_ = Categories("genre", v1::MULTI_CATEGORICAL,
                                          {{"rock", "jazz"}, {"jazz"}, {}});
  const FeatureTable lengths_ = Numbers("length", {10, NAN, 30});
  std::unique_ptr<RowEncoder> encoder_;
};

TEST_F(RowEncoderTest, RowIsOwnIdThenMeanOfValuesThenScaledNumber) {
  EXPECT_EQ(encoder_->width(), 5);
  EXPECT_EQ(encoder_->rows(), 4);
  EXPECT_THAT(Read(0), ElementsAre(1, 2, 20, 30, -1));
}

TEST_F(RowEncoderTest, VectorsStandAsTheyAreAndAreZeroWhereUnknown) {
  FeatureTable audio{.name = "audio", .kind = v1::VECTOR};
  audio.vectors = {1, 2, 3, 0, 0, 0, -1, -2, -3};
  audio.vector_width = 3;
  RowEncoder::Options options = Options();
  options.features.push_back({.table = &audio, .width = 3});
  encoder_ = std::make_unique<RowEncoder>(options);
  ASSERT_EQ(encoder_->width(), 8);
  const auto vector = [&](int64_t row, Hidden hidden) {
    const std::vector<float> whole = Read(row, hidden);
    return std::vector<float>(whole.begin() + 5, whole.end());
  };
  EXPECT_THAT(vector(0, Hidden::kNothing), ElementsAre(1, 2, 3));
  EXPECT_THAT(vector(2, Hidden::kId), ElementsAre(-1, -2, -3));
  EXPECT_THAT(vector(0, Hidden::kEverything), ElementsAre(0, 0, 0));
  EXPECT_THAT(vector(3, Hidden::kNothing), ElementsAre(0, 0, 0));

  // A step sees the same.
  encoder_->Begin({2, 0}, {Hidden::kNothing, Hidden::kEverything});
  std::vector<float> rows(16, 9);
  encoder_->Compose(absl::MakeSpan(rows));
  EXPECT_EQ(rows[5], -1);
  EXPECT_EQ(rows[7], -3);
  EXPECT_EQ(rows[13], 0);

  const auto columns = encoder_->Describe(0, /*with_embeddings=*/false);
  EXPECT_EQ(columns[2].kind(), v1::FeatureColumn::VECTOR);
  EXPECT_EQ(columns[2].offset(), 5);
  EXPECT_EQ(columns[2].width(), 3);
}

TEST_F(RowEncoderTest, MissingNumberIsZero) {
  EXPECT_THAT(Read(1), ElementsAre(3, 4, 30, 40, 0));
}

TEST_F(RowEncoderTest, UntrainedIdReadsAsTheUnknownRowWithItsOwnFeatures) {
  EXPECT_THAT(Read(2), ElementsAre(7, 8, 50, 60, 1));
}

TEST_F(RowEncoderTest, UnknownRowHasUnknownFeatures) {
  EXPECT_THAT(Read(3), ElementsAre(7, 8, 50, 60, 0));
}

TEST_F(RowEncoderTest, HiddenIdKeepsTheFeatures) {
  EXPECT_THAT(Read(0, Hidden::kId), ElementsAre(7, 8, 20, 30, -1));
}

TEST_F(RowEncoderTest, HiddenRowIsTheUnknownRow) {
  EXPECT_EQ(Read(0, Hidden::kEverything), Read(3));
}

TEST_F(RowEncoderTest, UntrainedIdsHashIntoTheUnknownBuckets) {
  items_ = Vocabulary(3);
  for (const char* id : {"a", "b", "c"}) items_.Add(id);
  RowEncoder::Options options = Options();
  options.trained = {true, false, true};
  encoder_ = std::make_unique<RowEncoder>(options);
  const int32_t bucket = items_.UnknownRowOf("b");
  const std::vector<float> row = Read(1), of_bucket = Read(bucket);
  EXPECT_THAT(absl::MakeSpan(row).first(2),
              ElementsAreArray(absl::MakeSpan(of_bucket).first(2)));
  for (int32_t other = 0; other < items_.rows(); ++other) {
    if (other == bucket || other == 1) continue;
    EXPECT_NE(row[0], Read(other)[0]);
  }
}

TEST_F(RowEncoderTest, ComposeGivesWhatReadGives) {
  const std::vector<int64_t> rows = {3, 0, 2, 1};
  const std::vector<Hidden> hidden = {Hidden::kNothing, Hidden::kEverything,
                                      Hidden::kId, Hidden::kNothing};
  std::vector<float> composed(4 * 5), read;
  encoder_->Begin(rows, hidden);
  encoder_->Compose(absl::MakeSpan(composed));
  for (int i = 0; i < 4; ++i) {
    const std::vector<float> row = Read(rows[i], hidden[i]);
    read.insert(read.end(), row.begin(), row.end());
  }
  EXPECT_EQ(composed, read);
}

TEST_F(RowEncoderTest, GradientsReachTheRowsThatWereRead) {
  encoder_->Begin({0, 1, 2}, {Hidden::kNothing, Hidden::kId, Hidden::kNothing});
  Apply(*encoder_, {1, 2, 4, 8, 100,    // own row; rock and jazz
                    3, 5, -6, 10, 100,  // unknown row; jazz
                    1, 1, 7, 9, 100});  // unknown row, unknown genre
  EXPECT_THAT(Weights(*encoder_, 0),
              Pointwise(FloatNear(1e-3), {1 - 1, 2 - 2,             // a
                                          3, 4,                     // b
                                          5, 6,                     // c
                                          7 - 3 - 1, 8 - 5 - 1}));  // unknown
  EXPECT_THAT(Weights(*encoder_, 1),
              Pointwise(FloatNear(1e-3), {10 - 2, 20 - 4,           // rock
                                          30 - 2 + 6, 40 - 4 - 10,  // jazz
                                          50 - 7, 60 - 9}));        // unknown
}

TEST_F(RowEncoderTest, AStepLeavesNothingBehindForTheNext) {
  encoder_->Begin({0, 1}, {Hidden::kNothing, Hidden::kNothing});
  Apply(*encoder_, std::vector<float>(10, 0.0f));
  std::vector<float> ids = Weights(*encoder_, 0);
  const std::vector<float> genres = Weights(*encoder_, 1);
  EXPECT_THAT(ids, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
  // One of the two, now in another place.
  encoder_->Begin({1}, {Hidden::kNothing});
  std::vector<float> row(5);
  encoder_->Compose(absl::MakeSpan(row));
  EXPECT_EQ(row, Read(1));
  Apply(*encoder_, {100, 0, 0, 0, 0});
  EXPECT_LT(Weights(*encoder_, 0)[2], ids[2] - 10);
  ids[2] = Weights(*encoder_, 0)[2];
  EXPECT_EQ(Weights(*encoder_, 0), ids);
  EXPECT_EQ(Weights(*encoder_, 1), genres);
  for (EmbeddingTable* table : encoder_->tables()) {
    EXPECT_EQ(table->step(), 2);
  }
}

TEST_F(RowEncoderTest, WithoutIdsRowsAreFeaturesOnly) {
  RowEncoder::Options options = Options();
  options.ids = nullptr;
  options.id_width = 0;
  encoder_ = std::make_unique<RowEncoder>(options);
  EXPECT_EQ(encoder_->width(), 3);
  EXPECT_EQ(encoder_->rows(), 3);
  SetWeights(*encoder_, 0, {10, 20, 30, 40, 50, 60});
  EXPECT_THAT(Read(0), ElementsAre(20, 30, -1));
  EXPECT_THAT(Read(0, Hidden::kEverything), ElementsAre(50, 60, 0));
}

TEST_F(RowEncoderTest, WithoutAnythingRowsAreEmpty) {
  RowEncoder nothing({.entities = 3});
  EXPECT_EQ(nothing.width(), 0);
  EXPECT_THAT(nothing.tables(), IsEmpty());
  EXPECT_TRUE(nothing.Describe(0, /*with_embeddings=*/true).empty());
}

TEST_F(RowEncoderTest, DescribesItsFeaturesCountedFromTheBase) {
  const auto columns = encoder_->Describe(/*base=*/100, false);
  ASSERT_EQ(columns.size(), 2u);
  EXPECT_EQ(columns[0].name(), "genre");
  EXPECT_EQ(columns[0].kind(), v1::FeatureColumn::MULTI_CATEGORICAL);
  EXPECT_EQ(columns[0].offset(), 102);
  EXPECT_EQ(columns[0].width(), 2);
  EXPECT_THAT(columns[0].values(), IsEmpty());
  EXPECT_THAT(columns[0].embeddings(), IsEmpty());
  EXPECT_EQ(columns[1].name(), "length");
  EXPECT_EQ(columns[1].kind(), v1::FeatureColumn::NUMERIC);
  EXPECT_EQ(columns[1].offset(), 104);
  EXPECT_EQ(columns[1].width(), 1);
  EXPECT_EQ(columns[1].scale().mean(), 20);
}

TEST_F(RowEncoderTest, DescribesValuesWithTheUnknownOneLast) {
  const auto columns = encoder_->Describe(0, /*with_embeddings=*/true);
  EXPECT_THAT(columns[0].values(), ElementsAre("rock", "jazz"));
  EXPECT_THAT(columns[0].embeddings(), ElementsAre(10, 20, 30, 40, 50, 60));
  EXPECT_THAT(columns[1].embeddings(), IsEmpty());
}

// Some hundred rows, so that threads have something to share.
std::vector<float> TrainedWith(int threads) {
  constexpr int32_t kRows = 300;
  Vocabulary ids(2);
  std::vector<std::vector<std::string>> tags;
  std::vector<int64_t> rows;
  std::vector<Hidden> hidden;
  for (int32_t i = 0; i < kRows; ++i) {
    ids.Add(absl::StrCat(i));
    tags.push_back({absl::StrCat(i % 7), absl::StrCat(i % 11)});
    rows.push_back(i);
    hidden.push_back(i % 5 == 0 ? Hidden::kId : Hidden::kNothing);
  }
  const FeatureTable table = Categories("tag", v1::MULTI_CATEGORICAL, tags);
  const int before = omp_get_max_threads();
  omp_set_num_threads(threads);
  RowEncoder encoder({.ids = &ids,
                      .entities = kRows,
                      .id_width = 3,
                      .features = {{.table = &table, .width = 4}}});
  std::vector<float> composed(kRows * encoder.width());
  for (int step = 0; step < 4; ++step) {
    encoder.Begin(rows, hidden);
    encoder.Compose(absl::MakeSpan(composed));
    Apply(encoder, composed);  // the gradient of half their squares
  }
  omp_set_num_threads(before);
  std::vector<float> all = composed;
  for (EmbeddingTable* trained : encoder.tables()) {
    all.insert(all.end(), trained->state().begin(), trained->state().end());
  }
  return all;
}

TEST(RowEncoderThreadsTest, AnyNumberOfThreadsGivesTheSameWeights) {
  const std::vector<float> one = TrainedWith(1);
  EXPECT_EQ(one, TrainedWith(2));
  EXPECT_EQ(one, TrainedWith(5));
}

}  // namespace
}  // namespace segue
