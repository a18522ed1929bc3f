#include "trainer/model/in_batch_softmax.h"

#include <torch/torch.h>

#include <cmath>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace segue {
namespace {

using ::testing::DoubleNear;

constexpr int64_t kSize = 5, kDimension = 3;

torch::Tensor UnitRows(uint64_t seed) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  const torch::Tensor rows =
      torch::empty({kSize, kDimension}).normal_(0, 1, generator);
  return rows / rows.norm(2, 1, /*keepdim=*/true);
}

// The formula as the papers write it, in doubles and with autograd.
struct Reference {
  double loss;
  torch::Tensor query, item;  // gradients
};

Reference Autograd(const SoftmaxBatch& batch) {
  const torch::Tensor query =
      batch.query.to(torch::kFloat64).requires_grad_(true);
  const torch::Tensor item =
      batch.item.to(torch::kFloat64).requires_grad_(true);
  torch::Tensor logits = query.mm(item.t()) / batch.temperature;
  torch::Tensor weights = torch::ones({kSize}, torch::kFloat64);
  torch::Tensor repeated = torch::zeros({kSize, kSize}, torch::kBool);
  for (int64_t i = 0; i < kSize; ++i) {
    if (!batch.weights.empty()) weights[i] = batch.weights[i];
    for (int64_t j = 0; j < kSize; ++j) {
      repeated[i][j] = i != j && batch.targets[i] == batch.targets[j];
    }
  }
  if (!batch.log_q.empty()) {
    torch::Tensor log_q = torch::empty({kSize}, torch::kFloat64);
    for (int64_t j = 0; j < kSize; ++j) log_q[j] = batch.log_q[j];
    logits = logits - log_q.unsqueeze(0);
  }
  if (batch.mask_target_duplicates) {
    logits = logits.masked_fill(repeated, -INFINITY);
  }
  const torch::Tensor loss =
      -(torch::log_softmax(logits, 1).diagonal() * weights).mean();
  loss.backward();
  return {loss.item<double>(), query.grad(), item.grad()};
}

double LargestDifference(const torch::Tensor& a, const torch::Tensor& b) {
  return (a.to(torch::kFloat64) - b).abs().max().item<double>();
}

class InBatchSoftmaxTest : public ::testing::Test {
 protected:
  void ExpectAsAutograd(const SoftmaxBatch& batch) {
    SoftmaxGradients gradients;
    const double loss = softmax_.Compute(batch, gradients);
    const Reference reference = Autograd(batch);
    // Gradients are of the order of 1 / temperature.
    const double near = 2e-6 / batch.temperature;
    EXPECT_NEAR(loss, reference.loss, near);
    EXPECT_THAT(LargestDifference(gradients.query, reference.query),
                DoubleNear(0, near));
    EXPECT_THAT(LargestDifference(gradients.item, reference.item),
                DoubleNear(0, near));
    EXPECT_GT(reference.query.abs().max().item<double>(), 100 * near);
  }

  const torch::Tensor query_ = UnitRows(1);
  const torch::Tensor item_ = UnitRows(2);
  const std::vector<int32_t> different_ = {4, 3, 2, 1, 0};
  // The first three are one item.
  const std::vector<int32_t> repeated_ = {8, 8, 8, 1, 0};
  const std::vector<float> log_q_ = {-1, -2, -0.5, -7, -3};
  const std::vector<float> weights_ = {1, 0.25, 0, 0.5, 0.75};
  InBatchSoftmax softmax_;
};

TEST_F(InBatchSoftmaxTest, PlainSoftmaxIsAsAutograd) {
  for (const double temperature : {0.05, 1.0}) {
    ExpectAsAutograd({.query = query_,
                      .item = item_,
                      .targets = different_,
                      .temperature = temperature});
  }
}

TEST_F(InBatchSoftmaxTest, LogQIsSubtractedFromTheCandidatesLogits) {
  ExpectAsAutograd({.query = query_,
                    .item = item_,
                    .targets = different_,
                    .log_q = log_q_,
                    .temperature = 0.5});
}

TEST_F(InBatchSoftmaxTest, WeightsAreOfTheExamples) {
  ExpectAsAutograd({.query = query_,
                    .item = item_,
                    .targets = different_,
                    .weights = weights_,
                    .temperature = 0.5});
}

TEST_F(InBatchSoftmaxTest, RepeatedTargetsAreNoNegatives) {
  ExpectAsAutograd({.query = query_,
                    .item = item_,
                    .targets = repeated_,
                    .temperature = 0.5});
}

TEST_F(InBatchSoftmaxTest, RepeatedTargetsAreNegativesIfNotMasked) {
  ExpectAsAutograd({.query = query_,
                    .item = item_,
                    .targets = repeated_,
                    .temperature = 0.5,
                    .mask_target_duplicates = false});
}

TEST_F(InBatchSoftmaxTest, AllTogetherIsAsAutograd) {
  ExpectAsAutograd({.query = query_,
                    .item = item_,
                    .targets = repeated_,
                    .log_q = log_q_,
                    .weights = weights_,
                    .temperature = 0.1});
}

TEST_F(InBatchSoftmaxTest, AnExampleOfWeightZeroHasNoSay) {
  SoftmaxGradients gradients;
  softmax_.Compute({.query = query_,
                    .item = item_,
                    .targets = different_,
                    .weights = weights_},
                   gradients);
  EXPECT_EQ(gradients.query[2].abs().max().item<float>(), 0);
}

TEST_F(InBatchSoftmaxTest, OneItemThroughoutIsFiniteAndTeachesNothing) {
  const std::vector<int32_t> same(kSize, 6);
  SoftmaxGradients gradients;
  const double loss = softmax_.Compute({.query = query_,
                                        .item = item_,
                                        .targets = same,
                                        .log_q = log_q_,
                                        .temperature = 0.01},
                                       gradients);
  EXPECT_EQ(loss, 0);
  EXPECT_EQ(gradients.query.abs().max().item<float>(), 0);
  EXPECT_EQ(gradients.item.abs().max().item<float>(), 0);
}

TEST_F(InBatchSoftmaxTest, LowestTemperatureAndOppositeVectorsStayFinite) {
  SoftmaxGradients gradients;
  const double loss = softmax_.Compute({.query = query_,
                                        .item = -query_,
                                        .targets = different_,
                                        .log_q = log_q_,
                                        .temperature = 1e-3},
                                       gradients);
  EXPECT_GT(loss, 100);
  EXPECT_TRUE(std::isfinite(loss));
  EXPECT_TRUE(torch::isfinite(gradients.query).all().item<bool>());
  EXPECT_TRUE(torch::isfinite(gradients.item).all().item<bool>());
}

TEST_F(InBatchSoftmaxTest, NoTraceOfTheBatchBefore) {
  const SoftmaxBatch batch = {.query = query_,
                              .item = item_,
                              .targets = different_,
                              .temperature = 0.5};
  SoftmaxGradients first, other, again;
  const double loss = softmax_.Compute(batch, first);
  softmax_.Compute(
      {.query = item_, .item = item_, .targets = repeated_, .log_q = log_q_},
      other);
  const std::vector<int32_t> two = {0, 1};
  softmax_.Compute({.query = query_.narrow(0, 0, 2),
                    .item = item_.narrow(0, 0, 2),
                    .targets = two},
                   other);
  EXPECT_EQ(softmax_.Compute(batch, again), loss);
  EXPECT_TRUE(first.query.equal(again.query));
  EXPECT_TRUE(first.item.equal(again.item));
}

}  // namespace
}  // namespace segue
