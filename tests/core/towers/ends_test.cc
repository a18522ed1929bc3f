// torch.ops.segue.mean_query and unit beside torch's own.
#include <torch/autograd.h>
#include <torch/types.h>

#include "core/towers/attention.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace segue {
namespace {

using attention::MeanQueryOperator;
using attention::UnitOperator;
using torch::Tensor;

Tensor MeanQueryOf(const Tensor& user, const Tensor& history,
                   const Tensor& mask, const Tensor& seed, const Tensor& age) {
  const Tensor share = mask / mask.sum(1, /*keepdim=*/true).clamp_min(1);
  const Tensor pooled = (share.unsqueeze(2) * history).sum(1);
  return torch::cat({user, pooled, seed, age.unsqueeze(1)}, 1);
}

TEST(MeanQueryTest, IsTorchsOwn) {
  torch::manual_seed(1);
  for (const int64_t b : {0, 1, 3}) {
    for (const int64_t n : {0, 1, 10}) {
      const Tensor user = torch::randn({b, 4}), seed = torch::randn({b, 5}),
                   history = torch::randn({b, n, 5}), age = torch::randn({b}),
                   mask = (torch::rand({b, n}) > .5).to(torch::kFloat);
      const Tensor found = MeanQueryOperator(user, history, mask, seed, age);
      EXPECT_TRUE(torch::allclose(
          found, MeanQueryOf(user, history, mask, seed, age), 1e-5, 1e-6))
          << b << " queries, " << n << " events";
    }
  }
}

TEST(MeanQueryTest, OfNoHistoryTheMeanIsNull) {
  const Tensor query = MeanQueryOperator(
      torch::ones({1, 1}), torch::ones({1, 2, 3}), torch::zeros({1, 2}),
      torch::ones({1, 3}), torch::ones({1}));
  EXPECT_TRUE(torch::equal(
      query, torch::tensor({{1.F, 0.F, 0.F, 0.F, 1.F, 1.F, 1.F, 1.F}})));
}

TEST(MeanQueryTest, StridedInputsAreReadAsTheyLie) {
  torch::manual_seed(2);
  const Tensor user = torch::randn({4, 3}).t(), seed = torch::randn({3, 5}),
               history = torch::randn({2, 3, 5}).transpose(0, 1),
               mask = torch::ones({2, 3}).t(), age = torch::randn({3});
  EXPECT_TRUE(torch::allclose(MeanQueryOperator(user, history, mask, seed, age),
                              MeanQueryOf(user, history, mask, seed, age), 1e-5,
                              1e-6));
}

TEST(MeanQueryTest, WhatDoesNotFitIsRefused) {
  const auto query = [](int64_t b, int64_t n, int64_t f) {
    return MeanQueryOperator(torch::ones({2, 4}), torch::ones({2, 3, 5}),
                             torch::ones({2, n}), torch::ones({2, f}),
                             torch::ones({b}));
  };
  EXPECT_NO_THROW(query(2, 3, 5));
  EXPECT_THROW(query(1, 3, 5), c10::Error);
  EXPECT_THROW(query(2, 2, 5), c10::Error);
  EXPECT_THROW(query(2, 3, 4), c10::Error);
  EXPECT_THROW(MeanQueryOperator(torch::ones({2, 4}), torch::ones({2, 15}),
                                 torch::ones({2, 3}), torch::ones({2, 5}),
                                 torch::ones({2})),
               c10::Error);
}

TEST(MeanQueryTest, GradientsAreThoseOfTorchsOwn) {
  torch::manual_seed(4);
  const auto options = torch::TensorOptions().requires_grad(true);
  const Tensor user = torch::randn({2, 3}, options),
               history = torch::randn({2, 4, 5}, options),
               mask = torch::ones({2, 4}), seed = torch::randn({2, 5}),
               age = torch::randn({2});
  const Tensor weights = torch::randn({2, 14});
  const auto gradients = [&](const Tensor& query) {
    return torch::autograd::grad({(query * weights).sum()}, {user, history});
  };
  const auto found =
      gradients(MeanQueryOperator(user, history, mask, seed, age));
  const auto expected = gradients(MeanQueryOf(user, history, mask, seed, age));
  EXPECT_TRUE(torch::allclose(found[0], expected[0]));
  EXPECT_TRUE(torch::allclose(found[1], expected[1]));
}

TEST(UnitTest, RowsAreOfLengthOneAndPointWhereTheyDid) {
  torch::manual_seed(3);
  const Tensor x = torch::randn({4, 7});
  const Tensor expected = x / x.norm(2, 1, /*keepdim=*/true);
  EXPECT_TRUE(torch::allclose(UnitOperator(x), expected, 1e-5, 1e-6));
  EXPECT_TRUE(torch::allclose(UnitOperator(x.t().contiguous().t()), expected,
                              1e-5, 1e-6));
}

TEST(UnitTest, AGradientIsAcrossTheRow) {
  const Tensor x = torch::tensor({{3.F, 4.F}}).set_requires_grad(true);
  const Tensor unit = UnitOperator(x);
  const Tensor gradient =
      torch::autograd::grad({unit.select(1, 0).sum()}, {x})[0];
  // d(a / l) = (1 - a^2 / l^2) / l, -a b / l^3.
  EXPECT_TRUE(torch::allclose(gradient, torch::tensor({{.128F, -.096F}})));
}

TEST(UnitTest, NothingStaysNothing) {
  const Tensor zero = torch::zeros({2, 3});
  EXPECT_TRUE(torch::equal(UnitOperator(zero), zero));
  EXPECT_EQ(UnitOperator(torch::zeros({0, 3})).size(0), 0);
  EXPECT_THROW(UnitOperator(torch::zeros({3})), c10::Error);
}

}  // namespace
}  // namespace segue
