#include "trainer/model/sequence_encoder.h"

#include <torch/script.h>

#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "core/towers/torchscript_towers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "trainer/model/tower_scripts.h"

namespace segue {
namespace {

using segue::testing::IsOk;
using torch::Tensor;

constexpr int64_t kBatch = 3, kLength = 5;
constexpr TowerShape kShape = {.user_width = 2,
                               .item_width = 4,
                               .history_length = kLength,
                               .dimension = 8};

Tensor Random(at::IntArrayRef sizes, uint64_t seed) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  return torch::empty(sizes).normal_(0, 1, generator);
}

bool Close(const Tensor& a, const Tensor& b) {
  return torch::allclose(a, b, /*rtol=*/0, /*atol=*/1e-5);
}

// Histories of five, of two and of one event.
struct Queries {
  Tensor user = Random({kBatch, 2}, 1);
  Tensor history = Random({kBatch, kLength, 4}, 2);
  Tensor mask = torch::tensor({{1.f, 1.f, 1.f, 1.f, 1.f},
                               {0.f, 0.f, 0.f, 1.f, 1.f},
                               {0.f, 0.f, 0.f, 0.f, 1.f}});
  Tensor seed = Random({kBatch, 4}, 3);
  Tensor age = Random({kBatch}, 4);

  Tensor Through(torch::jit::Module& tower) const {
    return tower.forward({user, history, mask, seed, age}).toTensor();
  }
};

// The kind, and whether items enter through the item tower's layers.
using Parameter = std::tuple<v1::EncoderConfig::Kind, bool>;

class SequenceEncoderTest : public ::testing::TestWithParam<Parameter> {
 protected:
  SequenceEncoderTest() { tower_.eval(); }

  static TowerOptions Options(double dropout = 0) {
    return {.layers = {kShape.dimension},
            .encoder = {.kind = std::get<0>(GetParam()),
                        .width = kShape.dimension,
                        .blocks = 2,
                        .heads = 2,
                        .dropout = dropout},
            .seed = 3};
  }
  static torch::jit::Module Tower(double dropout = 0) {
    TowerOptions of_items = Options();
    of_items.layers = {7, kShape.dimension};
    const torch::jit::Module items = MakeItemTower(kShape, of_items);
    return MakeQueryTower(kShape, Options(dropout),
                          std::get<1>(GetParam()) ? &items : nullptr);
  }
  // States of one sequence of `rows` [tokens, f].
  Tensor Encode(const Tensor& rows) {
    const int64_t tokens = rows.size(0);
    return tower_
        .run_method("encode", rows, torch::arange(tokens - 1, -1, -1),
                    torch::tensor({int64_t{0}, tokens}))
        .toTensor();
  }

  torch::NoGradGuard no_grad_;
  torch::jit::Module tower_ = Tower();
};

TEST_P(SequenceEncoderTest, VectorsHaveLengthOne) {
  EXPECT_TRUE(
      Close(Queries().Through(tower_).norm(2, 1), torch::ones({kBatch})));
}

TEST_P(SequenceEncoderTest, WhatIsPaddedDoesNotMatter) {
  Queries other;
  other.history = torch::where(other.mask.unsqueeze(2) > 0, other.history,
                               torch::full({1}, 1e30f));
  EXPECT_TRUE(other.Through(tower_).equal(Queries().Through(tower_)));
}

TEST_P(SequenceEncoderTest, QueriesOfABatchDoNotTouchEachOther) {
  const Queries all;
  const Tensor together = all.Through(tower_);
  for (int64_t b = 0; b < kBatch; ++b) {
    Queries one;
    one.user = all.user.narrow(0, b, 1);
    one.history = all.history.narrow(0, b, 1);
    one.mask = all.mask.narrow(0, b, 1);
    one.seed = all.seed.narrow(0, b, 1);
    one.age = all.age.narrow(0, b, 1);
    EXPECT_TRUE(Close(one.Through(tower_), together.narrow(0, b, 1))) << b;
  }
}

TEST_P(SequenceEncoderTest, OrderMatters) {
  Queries turned;
  turned.history = turned.history.flip(1);
  const Tensor change =
      (turned.Through(tower_) - Queries().Through(tower_)).abs();
  EXPECT_GT(change[0].max().item<float>(), 1e-3);
}

TEST_P(SequenceEncoderTest, EveryEventMatters) {
  for (int64_t event = 0; event < kLength; ++event) {
    Queries changed;
    // The seed stands in the newest place.
    if (event == kLength - 1) {
      changed.seed = changed.seed.clone();
      changed.seed[0] += 1;
    } else {
      changed.history = changed.history.clone();
      changed.history[0][event] += 1;
    }
    const Tensor change =
        (changed.Through(tower_) - Queries().Through(tower_)).abs();
    EXPECT_GT(change[0].max().item<float>(), 1e-5) << event;
    EXPECT_EQ(change.slice(0, 1).max().item<float>(), 0) << event;
  }
}

TEST_P(SequenceEncoderTest, AStateKnowsNothingOfWhatFollows) {
  const Tensor rows = Random({kLength, 4}, 7);
  Tensor changed = rows.clone();
  changed[kLength - 1] += 1;
  const Tensor before = Encode(rows), after = Encode(changed);
  EXPECT_TRUE(
      before.slice(0, 0, kLength - 1).equal(after.slice(0, 0, kLength - 1)));
  EXPECT_FALSE(Close(before[kLength - 1], after[kLength - 1]));
}

TEST_P(SequenceEncoderTest, EveryWeightGetsAGradient) {
  torch::AutoGradMode with_gradients(true);
  tower_.train();
  (Queries().Through(tower_) * Random({kBatch, kShape.dimension}, 9))
      .sum()
      .backward();
  for (const auto& weights : tower_.named_parameters()) {
    ASSERT_TRUE(weights.value.grad().defined()) << weights.name;
    EXPECT_GT(weights.value.grad().abs().max().item<float>(), 0)
        << weights.name;
  }
}

TEST_P(SequenceEncoderTest, UnitsAreDroppedInTrainingOnly) {
  torch::jit::Module dropping = Tower(0.5);
  dropping.eval();
  EXPECT_TRUE(Queries().Through(dropping).equal(Queries().Through(tower_)));
  dropping.train();
  torch::manual_seed(1);
  const Tensor first = Queries().Through(dropping);
  EXPECT_FALSE(Close(first, Queries().Through(dropping)));
  torch::manual_seed(1);
  EXPECT_TRUE(first.equal(Queries().Through(dropping)));
}

TEST_P(SequenceEncoderTest, TheSavedTowerServesTheSameVectors) {
  std::ostringstream bytes;
  for (Tensor weights : tower_.parameters()) weights.requires_grad_(false);
  tower_.save(bytes);
  const auto served = LoadQueryTower(bytes.str(), kShape);
  ASSERT_THAT(served, IsOk());
  const Queries queries;
  const auto values = [](const Tensor& tensor) {
    return absl::MakeConstSpan(tensor.data_ptr<float>(), tensor.numel());
  };
  std::vector<float> out(kBatch * kShape.dimension);
  ASSERT_THAT((*served)->Embed({.batch = kBatch,
                                .user = values(queries.user),
                                .history = values(queries.history),
                                .mask = values(queries.mask),
                                .seed = values(queries.seed),
                                .age = values(queries.age)},
                               absl::MakeSpan(out)),
              IsOk());
  const Tensor expected = queries.Through(tower_);
  EXPECT_THAT(out, ::testing::ElementsAreArray(values(expected)));
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, SequenceEncoderTest,
    ::testing::Combine(::testing::Values(v1::EncoderConfig::TRANSFORMER,
                                         v1::EncoderConfig::HSTU),
                       ::testing::Bool()),
    [](const auto& info) {
      return v1::EncoderConfig::Kind_Name(std::get<0>(info.param)) +
             (std::get<1>(info.param) ? "_shared" : "");
    });

// What is trained in one tower is trained in the other.
TEST(SharedItemTowerTest, WeightsAreTheItemTowersOwn) {
  torch::jit::Module items = MakeItemTower(kShape, {.layers = {8}, .seed = 4});
  torch::jit::Module queries = MakeQueryTower(
      kShape,
      {.layers = {8},
       .encoder = {.kind = v1::EncoderConfig::TRANSFORMER, .width = 8}},
      &items);
  EXPECT_TRUE(queries.attr("item_layer0_weight")
                  .toTensor()
                  .is_same(items.attr("layer0_weight").toTensor()));
  EXPECT_TRUE(queries.attr("item_layer0_bias")
                  .toTensor()
                  .is_same(items.attr("layer0_bias").toTensor()));
}

// At first neither the user nor the age says anything: the query is the state.
TEST(SharedItemTowerTest, TheQueryBeginsAsTheEncodersState) {
  torch::NoGradGuard no_grad;
  torch::jit::Module items = MakeItemTower(kShape, {.layers = {8}, .seed = 4});
  torch::jit::Module queries = MakeQueryTower(
      kShape,
      {.layers = {16, 8},
       .encoder = {.kind = v1::EncoderConfig::TRANSFORMER, .width = 8}},
      &items);
  queries.eval();
  const Tensor rows = Random({1, 4}, 7);
  const Tensor state =
      queries
          .run_method("encode", rows, torch::zeros({1}, torch::kLong),
                      torch::tensor({int64_t{0}, int64_t{1}}))
          .toTensor();
  Queries one;
  one.user = one.user.narrow(0, 2, 1);
  one.history = one.history.narrow(0, 2, 1);
  one.mask = one.mask.narrow(0, 2, 1);
  one.seed = rows;
  one.age = one.age.narrow(0, 2, 1);
  EXPECT_TRUE(Close(one.Through(queries), state / state.norm()));
}

}  // namespace
}  // namespace segue
