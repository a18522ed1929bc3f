#include "trainer/model/tower_scripts.h"

#include <torch/script.h>

#include <cmath>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace segue {
namespace {

using ::testing::ElementsAre;

constexpr TowerShape kShape = {
    .user_width = 3, .item_width = 4, .history_length = 3, .dimension = 5};
constexpr int64_t kBatch = 6;

TowerOptions Options(double dropout = 0) {
  return {.layers = {16, 8, kShape.dimension}, .dropout = dropout, .seed = 3};
}

torch::Tensor Random(at::IntArrayRef sizes, uint64_t seed) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  return torch::empty(sizes).normal_(0, 1, generator);
}

bool Close(const torch::Tensor& a, const torch::Tensor& b) {
  return torch::allclose(a, b, /*rtol=*/0, /*atol=*/1e-5);
}

struct Query {
  torch::Tensor user = Random({kBatch, kShape.user_width}, 1);
  torch::Tensor history = Random({kBatch, 3, kShape.item_width}, 2);
  torch::Tensor mask = torch::ones({kBatch, 3});
  torch::Tensor seed = Random({kBatch, kShape.item_width}, 3);
  torch::Tensor age = Random({kBatch}, 4);

  torch::Tensor Through(torch::jit::Module& tower) const {
    return tower.forward({user, history, mask, seed, age}).toTensor();
  }
  Query Row(int64_t b) const {
    return {user.narrow(0, b, 1), history.narrow(0, b, 1), mask.narrow(0, b, 1),
            seed.narrow(0, b, 1), age.narrow(0, b, 1)};
  }
};

class TowerScriptsTest : public ::testing::Test {
 protected:
  TowerScriptsTest() {
    query_tower_.eval();
    item_tower_.eval();
  }
  torch::Tensor Items(const torch::Tensor& rows) {
    return item_tower_.forward({rows}).toTensor();
  }

  torch::NoGradGuard no_grad_;
  torch::jit::Module query_tower_ = MakeQueryTower(kShape, Options());
  torch::jit::Module item_tower_ = MakeItemTower(kShape, Options());
  const torch::Tensor rows_ = Random({kBatch, kShape.item_width}, 5);
};

TEST_F(TowerScriptsTest, VectorsHaveLengthOne) {
  for (const torch::Tensor& vectors :
       {Items(rows_), Items(1000 * rows_), Query().Through(query_tower_)}) {
    EXPECT_EQ(vectors.sizes(), at::IntArrayRef({kBatch, kShape.dimension}));
    EXPECT_TRUE(Close(vectors.norm(2, 1), torch::ones({kBatch})));
  }
}

TEST_F(TowerScriptsTest, ARowOfZerosIsFinite) {
  EXPECT_TRUE(
      torch::isfinite(Items(torch::zeros_like(rows_))).all().item<bool>());
}

TEST_F(TowerScriptsTest, OneRowAgreesWithManyRows) {
  const Query query;
  const torch::Tensor queries = query.Through(query_tower_);
  const torch::Tensor items = Items(rows_);
  for (int64_t b = 0; b < kBatch; ++b) {
    const torch::Tensor one = query.Row(b).Through(query_tower_);
    EXPECT_EQ(one.sizes(), at::IntArrayRef({1, kShape.dimension}));
    EXPECT_TRUE(Close(one, queries.narrow(0, b, 1)));
    EXPECT_TRUE(Close(Items(rows_.narrow(0, b, 1)), items.narrow(0, b, 1)));
  }
}

TEST_F(TowerScriptsTest, MaskedPaddingHasNoInfluence) {
  Query query, other;
  for (Query* each : {&query, &other}) each->mask.narrow(1, 0, 2).zero_();
  other.history.narrow(1, 0, 2).fill_(1e6);
  EXPECT_TRUE(query.Through(query_tower_).equal(other.Through(query_tower_)));
  other.history.select(1, 2).fill_(1);
  EXPECT_FALSE(Close(query.Through(query_tower_), other.Through(query_tower_)));
}

TEST_F(TowerScriptsTest, HistoryIsTheMeanOfItsRows) {
  Query query;
  Query mean;
  mean.mask.narrow(1, 0, 2).zero_();
  mean.history.select(1, 2).copy_(query.history.mean(1));
  EXPECT_TRUE(Close(query.Through(query_tower_), mean.Through(query_tower_)));
}

TEST_F(TowerScriptsTest, NoHistoryAtAllIsFinite) {
  Query query;
  query.mask.zero_();
  EXPECT_TRUE(torch::isfinite(query.Through(query_tower_)).all().item<bool>());
}

TEST_F(TowerScriptsTest, EveryInputCounts) {
  const torch::Tensor vectors = Query().Through(query_tower_);
  Query user, seed, age, history;
  user.user.add_(1);
  seed.seed.add_(1);
  age.age.add_(1);
  history.history.add_(1);
  for (const Query& changed : {user, seed, age, history}) {
    EXPECT_FALSE(Close(changed.Through(query_tower_), vectors));
  }
}

TEST_F(TowerScriptsTest, AQueryTowerWithoutUsersTakesRowsOfNoWidth) {
  TowerShape shape = kShape;
  shape.user_width = 0;
  torch::jit::Module tower = MakeQueryTower(shape, Options());
  Query query;
  query.user = torch::empty({kBatch, 0});
  EXPECT_TRUE(Close(query.Through(tower).norm(2, 1), torch::ones({kBatch})));
}

TEST_F(TowerScriptsTest, TimesAreArgumentsOnlyWhereTheShapeSaysSo) {
  const auto arguments = [](bool times, const char* method) {
    TowerShape shape = kShape;
    shape.history_times = times;
    const torch::jit::Module tower = MakeQueryTower(
        shape, {.layers = {kShape.dimension},
                .encoder = {.kind = v1::EncoderConfig::HSTU, .width = 8}});
    std::vector<std::string> names;
    for (const c10::Argument& argument :
         tower.get_method(method).function().getSchema().arguments()) {
      names.push_back(argument.name());
    }
    return names;
  };
  EXPECT_THAT(arguments(false, "forward"),
              ElementsAre("self", "user", "history", "mask", "seed", "age"));
  EXPECT_THAT(arguments(true, "forward"),
              ElementsAre("self", "user", "history", "mask", "seed", "age",
                          "times", "now"));
  EXPECT_THAT(
      arguments(false, "forward_packed"),
      ElementsAre("self", "user", "rows", "positions", "begins", "age"));
  EXPECT_THAT(arguments(true, "forward_packed"),
              ElementsAre("self", "user", "rows", "positions", "begins", "age",
                          "times", "next_times"));
}

TEST_F(TowerScriptsTest, UnitsAreDroppedInTrainingOnly) {
  torch::jit::Module dropping = MakeItemTower(kShape, Options(0.5));
  const auto forward = [&](const torch::Tensor& rows) {
    return dropping.forward({rows}).toTensor();
  };
  dropping.eval();
  EXPECT_TRUE(forward(rows_).equal(Items(rows_)));
  dropping.train();
  torch::manual_seed(1);
  EXPECT_FALSE(Close(forward(rows_), Items(rows_)));
  EXPECT_FALSE(Close(forward(rows_), forward(rows_)));
  const torch::Tensor one = rows_.narrow(0, 0, 1);
  EXPECT_FALSE(Close(forward(one), Items(one)));
}

TEST_F(TowerScriptsTest, WithoutDropoutTrainingIsEvaluation) {
  const torch::Tensor evaluated = Items(rows_);
  const torch::Tensor one = Items(rows_.narrow(0, 0, 1));
  item_tower_.train();
  EXPECT_TRUE(Close(Items(rows_), evaluated));
  EXPECT_TRUE(Close(Items(rows_.narrow(0, 0, 1)), one));
}

TEST_F(TowerScriptsTest, WeightsAreXavierNormalByTheirSeedAndBiasesZero) {
  TowerOptions wide = {.layers = {200}, .seed = 3};
  const TowerShape shape = {.item_width = 200};
  const auto weight = [&](const char* name) {
    return MakeItemTower(shape, wide).attr(name).toTensor().detach();
  };
  const torch::Tensor first = weight("layer0_weight");
  EXPECT_NEAR(first.std().item<double>(), std::sqrt(2.0 / 400), 1e-3);
  EXPECT_NEAR(first.mean().item<double>(), 0, 2e-3);
  EXPECT_EQ(weight("layer0_bias").abs().max().item<float>(), 0);
  EXPECT_TRUE(first.equal(weight("layer0_weight")));
  wide.seed = 4;
  EXPECT_FALSE(first.equal(weight("layer0_weight")));
}

TEST_F(TowerScriptsTest, EveryWeightGetsAGradient) {
  torch::AutoGradMode with_gradients(true);
  query_tower_.train();
  item_tower_.train();
  const torch::Tensor scores =
      (Query().Through(query_tower_) * Items(rows_)).sum();
  scores.backward();
  for (torch::jit::Module* tower : {&query_tower_, &item_tower_}) {
    for (const auto& weights : tower->named_parameters()) {
      ASSERT_TRUE(weights.value.grad().defined()) << weights.name;
      EXPECT_GT(weights.value.grad().abs().max().item<float>(), 0)
          << weights.name;
    }
  }
}

}  // namespace
}  // namespace segue
