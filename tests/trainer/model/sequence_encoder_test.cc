#include "trainer/model/sequence_encoder.h"

#include <ATen/Parallel.h>
#include <omp.h>
#include <torch/script.h>

#include <algorithm>
#include <ostream>
#include <sstream>
#include <string>
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

struct Encoder {
  const char* name;
  v1::EncoderConfig::Kind kind;
  bool times;
  bool shared = false;  // items enter through the item tower's layers

  TowerShape shape() const {
    return {.user_width = 2,
            .item_width = 4,
            .history_length = kLength,
            .dimension = 8,
            .history_times = times};
  }
};
void PrintTo(const Encoder& encoder, std::ostream* out) {
  *out << encoder.name;
}
constexpr Encoder kTransformer = {"Transformer", v1::EncoderConfig::TRANSFORMER,
                                  false};
constexpr Encoder kHstu = {"Hstu", v1::EncoderConfig::HSTU, false};
constexpr Encoder kSharedTransformer = {
    "SharedTransformer", v1::EncoderConfig::TRANSFORMER, false, true};
constexpr Encoder kSharedHstu = {"SharedHstu", v1::EncoderConfig::HSTU, false,
                                 true};
constexpr Encoder kTimedHstu = {"HstuWithTimes", v1::EncoderConfig::HSTU, true};

Tensor Random(at::IntArrayRef sizes, uint64_t seed) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  return torch::empty(sizes).normal_(0, 1, generator);
}

bool Close(const Tensor& a, const Tensor& b) {
  return torch::allclose(a, b, /*rtol=*/0, /*atol=*/1e-5);
}

// Histories of five, of two and of one event.
struct Queries {
  explicit Queries(bool with_times) : takes_times(with_times) {}

  bool takes_times;
  Tensor user = Random({kBatch, 2}, 1);
  Tensor history = Random({kBatch, kLength, 4}, 2);
  Tensor mask = torch::tensor({{1.f, 1.f, 1.f, 1.f, 1.f},
                               {0.f, 0.f, 0.f, 1.f, 1.f},
                               {0.f, 0.f, 0.f, 0.f, 1.f}});
  Tensor seed = Random({kBatch, 4}, 3);
  Tensor age = Random({kBatch}, 4);
  Tensor times = torch::tensor(
      {{100, 130, 1000, 1001, 90000}, {0, 0, 0, 500, 500}, {0, 0, 0, 0, 700}},
      torch::kLong);
  Tensor now = torch::tensor({90060, 4000000, 700}, torch::kLong);

  Tensor Through(torch::jit::Module& tower) const {
    std::vector<torch::jit::IValue> inputs = {user, history, mask, seed, age};
    if (takes_times) inputs.insert(inputs.end(), {times, now});
    return tower.forward(inputs).toTensor();
  }
};

// A tower whose biases of times, 0 as they are made, say something.
torch::jit::Module MakeTower(const Encoder& encoder, double dropout = 0) {
  torch::NoGradGuard no_grad;
  const torch::jit::Module items =
      MakeItemTower(encoder.shape(), {.layers = {7, 8}, .seed = 4});
  torch::jit::Module tower = MakeQueryTower(encoder.shape(),
                                            {.layers = {8},
                                             .encoder = {.kind = encoder.kind,
                                                         .width = 8,
                                                         .blocks = 2,
                                                         .heads = 2,
                                                         .dropout = dropout},
                                             .seed = 3},
                                            encoder.shared ? &items : nullptr);
  for (const char* block : {"block0", "block1"}) {
    if (!encoder.times) break;
    Tensor bias = tower.attr(std::string(block) + "_time_bias").toTensor();
    bias.copy_(Random(bias.sizes(), 5));
  }
  return tower;
}

class SequenceEncoderTest : public ::testing::TestWithParam<Encoder> {
 protected:
  SequenceEncoderTest() { tower_.eval(); }

  // States of one sequence of `rows` [tokens, f].
  Tensor Encode(const Tensor& rows) {
    const int64_t tokens = rows.size(0);
    std::vector<torch::jit::IValue> inputs = {
        rows, torch::arange(tokens - 1, -1, -1),
        torch::tensor({int64_t{0}, tokens})};
    if (GetParam().times) {
      inputs.emplace_back(100 * torch::arange(tokens));
      inputs.emplace_back(100 * torch::arange(1, tokens + 1));
    }
    return tower_.get_method("encode")(inputs).toTensor();
  }

  torch::NoGradGuard no_grad_;
  torch::jit::Module tower_ = MakeTower(GetParam());
  const TowerShape shape_ = GetParam().shape();
  const Queries queries_{GetParam().times};
};

TEST_P(SequenceEncoderTest, VectorsHaveLengthOne) {
  EXPECT_TRUE(
      Close(queries_.Through(tower_).norm(2, 1), torch::ones({kBatch})));
}

TEST_P(SequenceEncoderTest, WhatIsPaddedDoesNotMatter) {
  Queries other = queries_;
  other.history = torch::where(other.mask.unsqueeze(2) > 0, other.history,
                               torch::full({1}, 1e30f));
  other.times =
      torch::where(other.mask > 0, other.times, torch::full({1}, 12345));
  EXPECT_TRUE(other.Through(tower_).equal(queries_.Through(tower_)));
}

TEST_P(SequenceEncoderTest, QueriesOfABatchDoNotTouchEachOther) {
  const Queries& all = queries_;
  const Tensor together = all.Through(tower_);
  for (int64_t b = 0; b < kBatch; ++b) {
    Queries one = queries_;
    one.user = all.user.narrow(0, b, 1);
    one.history = all.history.narrow(0, b, 1);
    one.mask = all.mask.narrow(0, b, 1);
    one.seed = all.seed.narrow(0, b, 1);
    one.age = all.age.narrow(0, b, 1);
    one.times = all.times.narrow(0, b, 1);
    one.now = all.now.narrow(0, b, 1);
    EXPECT_TRUE(Close(one.Through(tower_), together.narrow(0, b, 1))) << b;
  }
}

TEST_P(SequenceEncoderTest, OrderMatters) {
  Queries turned = queries_;
  turned.history = turned.history.flip(1);
  const Tensor change =
      (turned.Through(tower_) - queries_.Through(tower_)).abs();
  EXPECT_GT(change[0].max().item<float>(), 1e-3);
}

TEST_P(SequenceEncoderTest, EveryEventMatters) {
  for (int64_t event = 0; event < kLength; ++event) {
    Queries changed = queries_;
    // The seed stands in the newest place.
    if (event == kLength - 1) {
      changed.seed = changed.seed.clone();
      changed.seed[0] += 1;
    } else {
      changed.history = changed.history.clone();
      changed.history[0][event] += 1;
    }
    const Tensor change =
        (changed.Through(tower_) - queries_.Through(tower_)).abs();
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
  (queries_.Through(tower_) * Random({kBatch, shape_.dimension}, 9))
      .sum()
      .backward();
  for (const auto& weights : tower_.named_parameters()) {
    ASSERT_TRUE(weights.value.grad().defined()) << weights.name;
    EXPECT_GT(weights.value.grad().abs().max().item<float>(), 0)
        << weights.name;
  }
}

// As many tokens as make torch's kernels share work among threads.
TEST_P(SequenceEncoderTest, GradientsAreTheSameEveryTime) {
  torch::AutoGradMode with_gradients(true);
  torch::jit::getExecutorMode() = false;  // as training does
  const int threads = at::get_num_threads();
  // OpenBLAS waits for ever for a team that OMP_THREAD_LIMIT makes smaller.
  at::set_num_threads(std::min(4, omp_get_thread_limit()));
  constexpr int64_t kTokens = 20000;
  const Tensor begins = torch::arange(0, kTokens + 1, kLength);
  const Tensor ticks = torch::arange(kTokens);
  std::vector<torch::jit::IValue> inputs = {
      Random({kTokens, 4}, 7), kLength - 1 - ticks.remainder(kLength), begins};
  if (GetParam().times) inputs.insert(inputs.end(), {ticks, ticks + 1});
  const Tensor towards = Random({kTokens, 8}, 8);
  std::vector<Tensor> first;
  for (int round = 0; round < 5; ++round) {
    std::vector<Tensor> gradients;
    const Tensor states = tower_.get_method("encode")(inputs).toTensor();
    (states * towards).sum().backward();
    for (const auto& weights : tower_.named_parameters()) {
      Tensor& gradient = weights.value.mutable_grad();
      if (!gradient.defined()) continue;  // of the layers behind
      gradients.push_back(gradient.clone());
      gradient.zero_();
    }
    if (round == 0) first = gradients;
    ASSERT_EQ(gradients.size(), first.size());
    for (size_t i = 0; i < first.size(); ++i) {
      EXPECT_TRUE(gradients[i].equal(first[i])) << i << " in round " << round;
    }
  }
  at::set_num_threads(threads);
  torch::jit::getExecutorMode() = true;
}

TEST_P(SequenceEncoderTest, UnitsAreDroppedInTrainingOnly) {
  torch::jit::Module dropping = MakeTower(GetParam(), 0.5);
  dropping.eval();
  EXPECT_TRUE(queries_.Through(dropping).equal(queries_.Through(tower_)));
  dropping.train();
  torch::manual_seed(1);
  const Tensor first = queries_.Through(dropping);
  EXPECT_FALSE(Close(first, queries_.Through(dropping)));
  torch::manual_seed(1);
  EXPECT_TRUE(first.equal(queries_.Through(dropping)));
}

TEST_P(SequenceEncoderTest, TheSavedTowerServesTheSameVectors) {
  std::ostringstream bytes;
  for (Tensor weights : tower_.parameters()) weights.requires_grad_(false);
  tower_.save(bytes);
  const auto served = LoadQueryTower(bytes.str(), shape_);
  ASSERT_THAT(served, IsOk());
  const auto values = [](const Tensor& tensor) {
    return absl::MakeConstSpan(tensor.data_ptr<float>(), tensor.numel());
  };
  const auto seconds = [](const Tensor& tensor) {
    return absl::MakeConstSpan(tensor.data_ptr<int64_t>(), tensor.numel());
  };
  std::vector<float> out(kBatch * shape_.dimension);
  ASSERT_THAT((*served)->Embed({.batch = kBatch,
                                .user = values(queries_.user),
                                .history = values(queries_.history),
                                .mask = values(queries_.mask),
                                .seed = values(queries_.seed),
                                .age = values(queries_.age),
                                .times = seconds(queries_.times),
                                .now = seconds(queries_.now)},
                               absl::MakeSpan(out)),
              IsOk());
  const Tensor expected = queries_.Through(tower_);
  // Its weights are halves.
  EXPECT_THAT(
      out, ::testing::Pointwise(::testing::FloatNear(5e-4), values(expected)));
}

INSTANTIATE_TEST_SUITE_P(Kinds, SequenceEncoderTest,
                         ::testing::Values(kTransformer, kHstu, kTimedHstu,
                                           kSharedTransformer, kSharedHstu),
                         [](const auto& info) { return info.param.name; });

// What is trained in one tower is trained in the other.
TEST(SharedItemTowerTest, WeightsAreTheItemTowersOwn) {
  torch::jit::Module items =
      MakeItemTower(kSharedTransformer.shape(), {.layers = {8}, .seed = 4});
  torch::jit::Module queries = MakeQueryTower(
      kSharedTransformer.shape(),
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
  torch::jit::Module items =
      MakeItemTower(kSharedTransformer.shape(), {.layers = {8}, .seed = 4});
  torch::jit::Module queries = MakeQueryTower(
      kSharedTransformer.shape(),
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
  Queries one(false);
  one.user = one.user.narrow(0, 2, 1);
  one.history = one.history.narrow(0, 2, 1);
  one.mask = one.mask.narrow(0, 2, 1);
  one.seed = rows;
  one.age = one.age.narrow(0, 2, 1);
  EXPECT_TRUE(Close(one.Through(queries), state / state.norm()));
}

class TimedEncoderTest : public ::testing::Test {
 protected:
  TimedEncoderTest() { tower_.eval(); }

  torch::NoGradGuard no_grad_;
  torch::jit::Module tower_ = MakeTower(kTimedHstu);
  const Queries queries_{true};
};

TEST_F(TimedEncoderTest, TheTimeOfEveryEventAndOfTheRequestMatters) {
  const Tensor before = queries_.Through(tower_);
  for (int64_t event = 0; event <= kLength; ++event) {
    Queries later = queries_;
    Tensor& moved = event < kLength ? later.times : later.now;
    moved = moved.clone();
    (event < kLength ? moved[0][event] : moved[0]) += 5000;
    const Tensor change = (later.Through(tower_) - before).abs();
    EXPECT_GT(change[0].max().item<float>(), 1e-5) << event;
    EXPECT_EQ(change.slice(0, 1).max().item<float>(), 0) << event;
  }
}

TEST_F(TimedEncoderTest, OnlyDifferencesOfTimesMatter) {
  Queries later = queries_;
  later.times = later.times + 1'700'000'000;
  later.now = later.now + 1'700'000'000;
  EXPECT_TRUE(later.Through(tower_).equal(queries_.Through(tower_)));
}

TEST_F(TimedEncoderTest, UntrainedItIsTheEncoderWithoutTimes) {
  torch::jit::Module untrained =
      MakeQueryTower(kTimedHstu.shape(),
                     {.layers = {8}, .encoder = {.kind = kTimedHstu.kind}});
  torch::jit::Module plain = MakeQueryTower(
      kHstu.shape(), {.layers = {8}, .encoder = {.kind = kHstu.kind}});
  EXPECT_TRUE(queries_.Through(untrained).equal(Queries(false).Through(plain)));
}

// What is learnt from packed sequences is what serves: every event of one says
// what a window that ends at it does, the time of what follows being the
// request's. Positions, counted from other ends, are made to say nothing.
TEST_F(TimedEncoderTest, PackedSequencesAgreeWithWindows) {
  tower_.attr("position").toTensor().zero_();
  const Tensor rows = Random({kLength, 4}, 7);
  const Tensor times = queries_.times[0];
  const Tensor next_times =
      torch::cat({times.slice(0, 1), queries_.now[0].view(1)});
  const Tensor user = Random({kLength, 2}, 8), age = Random({kLength}, 9);
  const Tensor packed = tower_
                            .run_method("forward_packed", user, rows,
                                        torch::arange(kLength - 1, -1, -1),
                                        torch::tensor({int64_t{0}, kLength}),
                                        age, times, next_times)
                            .toTensor();
  for (int64_t event = 0; event < kLength; ++event) {
    const int64_t padding = kLength - 1 - event;
    Tensor history = torch::zeros({1, kLength, 4});
    Tensor mask = torch::zeros({1, kLength});
    Tensor window_times = torch::zeros({1, kLength}, torch::kLong);
    history[0].slice(0, padding).copy_(rows.slice(0, 0, event + 1));
    mask[0].slice(0, padding).fill_(1);
    window_times[0].slice(0, padding).copy_(times.slice(0, 0, event + 1));
    const Tensor window =
        tower_
            .forward({user.narrow(0, event, 1), history, mask,
                      rows.narrow(0, event, 1), age.narrow(0, event, 1),
                      window_times, next_times.narrow(0, event, 1)})
            .toTensor();
    EXPECT_TRUE(Close(window, packed.narrow(0, event, 1))) << event;
  }
}

}  // namespace
}  // namespace segue
