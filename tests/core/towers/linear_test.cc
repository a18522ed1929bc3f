// torch.ops.segue.linear beside torch's own.
#include <torch/types.h>

#include "core/towers/attention.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace segue {
namespace {

using attention::LinearOperator;
using torch::Tensor;

struct Sizes {
  int64_t rows, in, out;
};

class LinearTest : public ::testing::TestWithParam<Sizes> {
 protected:
  LinearTest() {
    torch::manual_seed(1);
    const auto [rows, in, out] = GetParam();
    x_ = torch::randn({rows, in});
    weight_ = torch::randn({out, in});
    bias_ = torch::randn({out});
  }
  const c10::InferenceMode guard_;
  Tensor x_, weight_, bias_;
};

TEST_P(LinearTest, IsTorchsOwn) {
  const Tensor expected = torch::addmm(bias_, x_, weight_.t());
  EXPECT_TRUE(
      torch::allclose(LinearOperator(x_, weight_, bias_, /*relu=*/false),
                      expected, /*rtol=*/1e-4, /*atol=*/1e-4));
  EXPECT_TRUE(torch::allclose(LinearOperator(x_, weight_, bias_, /*relu=*/true),
                              torch::relu(expected), 1e-4, 1e-4));
}

TEST_P(LinearTest, ARowIsTheSameAlone) {
  if (x_.size(0) > 32) GTEST_SKIP() << "torch's own product from 33 rows on";
  const Tensor together = LinearOperator(x_, weight_, bias_, /*relu=*/false);
  for (int64_t row = 0; row < x_.size(0); ++row) {
    EXPECT_TRUE(torch::equal(
        LinearOperator(x_.slice(0, row, row + 1), weight_, bias_, false),
        together.slice(0, row, row + 1)))
        << row;
  }
}

TEST_P(LinearTest, OfHalvesIsThatOfTheirFloats) {
  const Tensor halves = weight_.to(torch::kHalf);
  const Tensor expected = torch::addmm(bias_, x_, halves.to(torch::kFloat).t());
  EXPECT_TRUE(torch::allclose(LinearOperator(x_, halves, bias_, /*relu=*/false),
                              expected, /*rtol=*/1e-4, /*atol=*/1e-4));
  EXPECT_TRUE(torch::allclose(LinearOperator(x_, halves, bias_, /*relu=*/true),
                              torch::relu(expected), 1e-4, 1e-4));
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, LinearTest,
    // Whole tiles and what is left of rows, outputs and inputs.
    ::testing::Values(Sizes{1, 143, 1024}, Sizes{2, 16, 12}, Sizes{3, 7, 13},
                      Sizes{4, 8, 24}, Sizes{5, 9, 1}, Sizes{7, 143, 17},
                      Sizes{32, 64, 128}, Sizes{33, 64, 5}, Sizes{129, 64, 5},
                      Sizes{0, 4, 4}, Sizes{3, 1, 30}),
    [](const auto& info) {
      const Sizes& sizes = info.param;
      return std::to_string(sizes.rows) + "x" + std::to_string(sizes.in) + "x" +
             std::to_string(sizes.out);
    });

TEST(LinearOperatorTest, TakesWhatIsNotContiguous) {
  const c10::InferenceMode guard;
  const Tensor x = torch::randn({8, 3}).t(), weight = torch::randn({8, 5}).t();
  const Tensor bias = torch::randn({5});
  EXPECT_TRUE(torch::allclose(LinearOperator(x, weight, bias, false),
                              torch::addmm(bias, x, weight.t()), 1e-4, 1e-5));
}

TEST(LinearOperatorTest, WhatDoesNotFitThrows) {
  const Tensor x = torch::zeros({2, 3}), bias = torch::zeros({4});
  EXPECT_THROW(LinearOperator(x, torch::zeros({4, 5}), bias, false),
               c10::Error);
  EXPECT_THROW(LinearOperator(x, torch::zeros({5, 3}), bias, false),
               c10::Error);
  EXPECT_THROW(
      LinearOperator(x, torch::zeros({4, 3}, torch::kDouble), bias, false),
      c10::Error);
}

TEST(LinearOperatorTest, HasAGradientWhereItIsAskedFor) {
  const Tensor x = torch::randn({2, 3}), bias = torch::randn({4});
  const Tensor weight = torch::randn({4, 3}).requires_grad_(true);
  LinearOperator(x, weight, bias, /*relu=*/true).sum().backward();
  const Tensor gradient = weight.grad().clone();
  weight.mutable_grad().zero_();
  torch::relu(torch::addmm(bias, x, weight.t())).sum().backward();
  EXPECT_TRUE(torch::equal(gradient, weight.grad()));
}

}  // namespace
}  // namespace segue
