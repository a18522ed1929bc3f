#include "core/towers/attention.h"

#include <ATen/Parallel.h>
#include <torch/script.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace segue {
namespace {

using ::testing::HasSubstr;
using torch::Tensor;

constexpr int64_t kHeads = 2, kWidth = 8;

// Sequences of one token, of none, over and under a block of queries.
struct Packed {
  std::vector<int64_t> begins = {0, 1, 1, 70, 200, 203};
  Tensor qkv, gradient, position_bias, time_bias, times, next_times;

  Packed() {
    torch::manual_seed(7);
    const int64_t tokens = begins.back();
    qkv = torch::randn({tokens, 3 * kHeads * kWidth}).requires_grad_(true);
    gradient = torch::randn({tokens, kHeads * kWidth});
    // Fewer than the longest sequence has tokens.
    position_bias = torch::randn({50}).requires_grad_(true);
    time_bias = torch::randn({40}).requires_grad_(true);
    times =
        std::get<0>(torch::randint(0, 100000, {tokens}, torch::kLong).sort());
    next_times = times + torch::randint(0, 50, {tokens}, torch::kLong);
  }

  Tensor Begins() const { return torch::tensor(begins); }
  Tensor Softmax(double dropout = 0, int64_t seed = 1) const {
    return attention::SoftmaxOperator(qkv, Begins(), kHeads, dropout, seed);
  }
  Tensor Pointwise() const {
    return attention::PointwiseOperator(qkv, Begins(), position_bias, time_bias,
                                        times, next_times, kHeads, 200);
  }

  // `weigh` turns a sequence's [heads, n, n] products into weights.
  template <typename Weigh>
  Tensor Reference(const Weigh& weigh) const {
    std::vector<Tensor> parts;
    for (size_t s = 0; s + 1 < begins.size(); ++s) {
      const int64_t n = begins[s + 1] - begins[s];
      const Tensor x = qkv.slice(0, begins[s], begins[s + 1])
                           .view({n, 3, kHeads, kWidth})
                           .permute({1, 2, 0, 3});
      const Tensor later = torch::ones({n, n}).triu(1).to(torch::kBool);
      const Tensor weights =
          weigh(torch::matmul(x[0], x[1].transpose(1, 2)), later, begins[s]);
      parts.push_back(torch::matmul(weights, x[2])
                          .permute({1, 0, 2})
                          .reshape({n, kHeads * kWidth}));
    }
    return torch::cat(parts);
  }
  Tensor SoftmaxReference() const {
    return Reference([](const Tensor& products, const Tensor& later, int64_t) {
      return (products / std::sqrt(static_cast<double>(kWidth)))
          .masked_fill(later, -1e30)
          .softmax(-1);
    });
  }

  int64_t Bucket(int64_t query, int64_t key) const {
    const int64_t seconds =
        next_times[query].item<int64_t>() - times[key].item<int64_t>();
    if (seconds < 1) return 0;
    const int64_t power = static_cast<int64_t>(
        std::floor(std::log2(static_cast<double>(seconds))));
    const bool half = static_cast<double>(seconds) >=
                      1.5 * static_cast<double>(int64_t{1} << power);
    return std::min<int64_t>(2 * power + (half ? 2 : 1), 39);
  }
  Tensor PointwiseReference() const {
    return Reference(
        [this](const Tensor& products, const Tensor& later, int64_t begin) {
          const int64_t n = products.size(1);
          std::vector<int64_t> back(n * n), bucket(n * n);
          for (int64_t i = 0; i < n; ++i) {
            for (int64_t j = 0; j <= i; ++j) {
              back[i * n + j] = std::min<int64_t>(i - j, 49);
              bucket[i * n + j] = Bucket(begin + i, begin + j);
            }
          }
          const auto bias = [n](const Tensor& table,
                                const std::vector<int64_t>& places) {
            return table.index({torch::tensor(places)}).view({n, n});
          };
          const Tensor scores =
              products + bias(position_bias, back) + bias(time_bias, bucket);
          return (torch::silu(scores) / 200).masked_fill(later, 0);
        });
  }

  // The gradients of sum(out * gradient) by each input.
  std::vector<Tensor> Gradients(const Tensor& out) const {
    for (const Tensor& leaf : {qkv, position_bias, time_bias}) {
      leaf.mutable_grad() = torch::zeros_like(leaf);
    }
    (out * gradient).sum().backward();
    return {qkv.grad().clone(), position_bias.grad().clone(),
            time_bias.grad().clone()};
  }
};

double Difference(const Tensor& a, const Tensor& b) {
  return (a - b).abs().max().item<double>();
}

TEST(SoftmaxAttentionTest, AgreesWithTorchsOwnOperations) {
  const Packed packed;
  const Tensor out = packed.Softmax(), expected = packed.SoftmaxReference();
  EXPECT_LT(Difference(out, expected), 2e-6);
  EXPECT_LT(Difference(packed.Gradients(out)[0], packed.Gradients(expected)[0]),
            1e-5);
}

TEST(SoftmaxAttentionTest, LargeScoresDoNotOverflow) {
  const Packed packed;
  const Tensor out = attention::SoftmaxOperator(packed.qkv * 1000,
                                                packed.Begins(), kHeads, 0, 1);
  EXPECT_TRUE(torch::isfinite(out).all().item<bool>());
}

TEST(SoftmaxAttentionTest, DropoutIsTheSeedsAndItsGradientIsRight) {
  const Packed packed;
  const Tensor out = packed.Softmax(0.3, 5);
  EXPECT_EQ(Difference(out, packed.Softmax(0.3, 5)), 0);
  EXPECT_GT(Difference(out, packed.Softmax(0.3, 6)), 0.01);
  const Tensor gradient = packed.Gradients(out)[0];
  const Tensor along = torch::randn_like(gradient);
  const auto loss = [&](double step) {
    const torch::NoGradGuard no_grad;
    return (attention::SoftmaxOperator(packed.qkv + step * along,
                                       packed.Begins(), kHeads, 0.3, 5) *
            packed.gradient)
        .sum()
        .item<double>();
  };
  const double expected = (gradient * along).sum().item<double>();
  EXPECT_NEAR((loss(5e-3) - loss(-5e-3)) / 1e-2, expected,
              0.01 * std::abs(expected) + 0.05);
}

TEST(SoftmaxAttentionTest, DropoutKeepsTheMean) {
  const Packed packed;
  Tensor sum = torch::zeros_like(packed.gradient);
  for (int64_t seed = 0; seed < 400; ++seed) {
    sum += packed.Softmax(0.5, seed).detach();
  }
  EXPECT_LT((sum / 400 - packed.Softmax()).abs().mean().item<double>(), 0.03);
}

TEST(PointwiseAttentionTest, AgreesWithTorchsOwnOperations) {
  const Packed packed;
  const Tensor out = packed.Pointwise(), expected = packed.PointwiseReference();
  EXPECT_LT(Difference(out, expected), 2e-6);
  const std::vector<Tensor> gradients = packed.Gradients(out);
  const std::vector<Tensor> references = packed.Gradients(expected);
  for (size_t i = 0; i < gradients.size(); ++i) {
    EXPECT_LT(Difference(gradients[i], references[i]), 1e-5) << i;
  }
}

TEST(PointwiseAttentionTest, WithoutTimesThereIsNoTimeBias) {
  const Packed packed;
  const Tensor none = torch::empty({0});
  const Tensor out = attention::PointwiseOperator(
      packed.qkv, packed.Begins(), packed.position_bias, none,
      none.to(torch::kLong), none.to(torch::kLong), kHeads, 200);
  const Tensor zeros = torch::zeros({40});
  const Tensor expected = attention::PointwiseOperator(
      packed.qkv, packed.Begins(), packed.position_bias, zeros, packed.times,
      packed.next_times, kHeads, 200);
  EXPECT_EQ(Difference(out, expected), 0);
}

TEST(AttentionTest, NoTokenSeesALaterOne) {
  const Packed packed;
  Packed changed;
  changed.qkv = packed.qkv.detach().clone();
  changed.qkv.slice(0, 150, 200).neg_();
  EXPECT_EQ(Difference(packed.Softmax().slice(0, 0, 150),
                       changed.Softmax().slice(0, 0, 150)),
            0);
  EXPECT_EQ(Difference(packed.Pointwise().slice(0, 0, 150),
                       changed.Pointwise().slice(0, 0, 150)),
            0);
}

TEST(AttentionTest, TheNumberOfThreadsDoesNotMatter) {
  const Packed packed;
  const int before = at::get_num_threads();
  std::vector<std::vector<Tensor>> gradients;
  for (int threads : {1, 3}) {
    at::set_num_threads(threads);
    gradients.push_back(packed.Gradients(packed.Pointwise()));
    gradients.back().push_back(packed.Gradients(packed.Softmax())[0]);
  }
  at::set_num_threads(before);
  for (size_t i = 0; i < gradients[0].size(); ++i) {
    EXPECT_EQ(Difference(gradients[0][i], gradients[1][i]), 0) << i;
  }
}

TEST(AttentionTest, TorchScriptCallsIt) {
  torch::jit::Module module("m");
  module.define(R"(
    def forward(self, qkv: Tensor, begins: Tensor) -> Tensor:
        return segue.softmax_attention(qkv, begins, 2, 0.0, 1)
)",
                AttentionResolver());
  std::stringstream bytes;
  module.save(bytes);
  torch::jit::Module loaded = torch::jit::load(bytes);
  const Packed packed;
  for (torch::jit::Module* each : {&module, &loaded}) {
    const Tensor out = each->forward({packed.qkv, packed.Begins()}).toTensor();
    EXPECT_EQ(Difference(out, packed.Softmax()), 0);
  }
}

TEST(AttentionTest, WhatDoesNotFitIsRefused) {
  const Packed packed;
  const auto said = [](const auto& call) -> std::string {
    try {
      call();
    } catch (const c10::Error& e) {
      return e.what_without_backtrace();
    }
    return "nothing";
  };
  EXPECT_THAT(said([&] {
                attention::SoftmaxOperator(packed.qkv, packed.Begins(), 5, 0,
                                           1);
              }),
              HasSubstr("3 * heads * width"));
  for (const std::vector<int64_t>& begins :
       {std::vector<int64_t>{0, 100}, {1, 203}, {0, 150, 100, 203}, {0, 204}}) {
    EXPECT_THAT(said([&] {
                  attention::SoftmaxOperator(packed.qkv, torch::tensor(begins),
                                             kHeads, 0, 1);
                }),
                HasSubstr("ascend from 0 to tokens"));
  }
  EXPECT_THAT(said([&] {
                attention::PointwiseOperator(
                    packed.qkv, packed.Begins(), packed.position_bias,
                    packed.time_bias, packed.times.slice(0, 1),
                    packed.next_times, kHeads, 200);
              }),
              HasSubstr("times and next_times"));
}

}  // namespace
}  // namespace segue
