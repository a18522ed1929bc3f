#include "trainer/model/sampled_softmax.h"

#include <torch/types.h>

#include <cmath>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace segue {
namespace {

using ::testing::DoubleNear;

constexpr int64_t kQueries = 6, kCandidates = 5, kDimension = 3;

torch::Tensor UnitRows(int64_t rows, uint64_t seed) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  const torch::Tensor values =
      torch::empty({rows, kDimension}).normal_(0, 1, generator);
  return values / values.norm(2, 1, /*keepdim=*/true);
}

struct Reference {
  double loss, log_temperature;
  torch::Tensor query, candidate;  // gradients
};

// The formula as it is written, in doubles and with autograd.
Reference Autograd(const SoftmaxBatch& batch) {
  const int64_t n = batch.query.size(0), c = batch.candidate.size(0);
  const torch::Tensor query =
      batch.query.to(torch::kFloat64).requires_grad_(true);
  const torch::Tensor candidate =
      batch.candidate.to(torch::kFloat64).requires_grad_(true);
  const torch::Tensor log_temperature =
      torch::full({1}, std::log(batch.temperature), torch::kFloat64)
          .requires_grad_(true);
  const torch::Tensor logits = query.mm(candidate.t()) / log_temperature.exp();
  torch::Tensor offsets = torch::zeros({n, c}, torch::kFloat64);
  torch::Tensor out = torch::zeros({n, c}, torch::kBool);
  torch::Tensor weights = torch::ones({n}, torch::kFloat64);
  torch::Tensor targets = torch::empty({n, 1}, torch::kLong);
  for (int64_t i = 0; i < n; ++i) {
    targets[i][0] = batch.targets[i];
    if (!batch.weights.empty()) weights[i] = batch.weights[i];
    for (int64_t j = 0; j < c; ++j) {
      const auto& of =
          batch.targets[i] == j ? batch.target_offsets : batch.negative_offsets;
      if (!of.empty()) offsets[i][j] = of[j];
    }
  }
  for (const PairOffset& pair : batch.pairs) {
    const int32_t i = pair.query, j = pair.candidate;
    if (batch.targets[i] == j) continue;
    out[i][j] = std::isinf(pair.offset);
    if (!std::isinf(pair.offset)) offsets[i][j] = pair.offset;
  }
  const torch::Tensor log_probabilities =
      torch::log_softmax((logits + offsets).masked_fill(out, -INFINITY), 1);
  const torch::Tensor loss =
      -(log_probabilities.gather(1, targets).squeeze(1) * weights).mean();
  loss.backward();
  return {loss.item<double>(), log_temperature.grad().item<double>(),
          query.grad(), candidate.grad()};
}

double LargestDifference(const torch::Tensor& a, const torch::Tensor& b) {
  return (a.to(torch::kFloat64) - b).abs().max().item<double>();
}

class SampledSoftmaxTest : public ::testing::Test {
 protected:
  void ExpectAsAutograd(const SoftmaxBatch& batch) {
    SoftmaxGradients gradients;
    const double loss = softmax_.Compute(batch, gradients);
    const Reference reference = Autograd(batch);
    // Gradients are of the order of 1 / temperature.
    const double near = 2e-6 / batch.temperature;
    EXPECT_NEAR(loss, reference.loss, near);
    EXPECT_NEAR(gradients.log_temperature, reference.log_temperature, near);
    EXPECT_THAT(LargestDifference(gradients.query, reference.query),
                DoubleNear(0, near));
    EXPECT_THAT(LargestDifference(gradients.candidate, reference.candidate),
                DoubleNear(0, near));
    EXPECT_GT(reference.query.abs().max().item<double>(), 100 * near);
  }
  SoftmaxBatch Batch(double temperature = 0.5) const {
    return {.query = query_,
            .candidate = candidate_,
            .targets = targets_,
            .temperature = temperature};
  }

  const torch::Tensor query_ = UnitRows(kQueries, 1);
  const torch::Tensor candidate_ = UnitRows(kCandidates, 2);
  const std::vector<int32_t> targets_ = {4, 3, 3, 3, 1, 0};
  const std::vector<float> negative_offsets_ = {1, 2, 0.5, 7, 3};
  const std::vector<float> target_offsets_ = {-1, 1, 0, 2, 2.5};
  const std::vector<float> weights_ = {1, 0.25, 0, 0.5, 0.75, 1};
  static constexpr float kMasked = PairOffset::kMasked;
  const std::vector<PairOffset> pairs_ = {{0, 1, kMasked}, {0, 4, kMasked},
                                          {2, 2, 1.5},     {3, 0, kMasked},
                                          {5, 2, kMasked}, {5, 3, -2}};
  SampledSoftmax softmax_;
};

TEST_F(SampledSoftmaxTest, PlainSoftmaxIsAsAutograd) {
  for (const double temperature : {0.05, 1.0}) {
    ExpectAsAutograd(Batch(temperature));
  }
}

TEST_F(SampledSoftmaxTest, OffsetsAreOfTheRoleThatACandidatePlays) {
  SoftmaxBatch batch = Batch();
  batch.negative_offsets = negative_offsets_;
  ExpectAsAutograd(batch);
  batch.target_offsets = target_offsets_;
  ExpectAsAutograd(batch);
  batch.negative_offsets = {};
  ExpectAsAutograd(batch);
}

TEST_F(SampledSoftmaxTest, WeightsAreOfTheQueries) {
  SoftmaxBatch batch = Batch();
  batch.weights = weights_;
  ExpectAsAutograd(batch);
  SoftmaxGradients gradients;
  softmax_.Compute(batch, gradients);
  EXPECT_EQ(gradients.query[2].abs().max().item<float>(), 0);
}

TEST_F(SampledSoftmaxTest, WhatIsMaskedIsNoNegative) {
  SoftmaxBatch batch = Batch();
  batch.pairs = pairs_;
  ExpectAsAutograd(batch);
  // Of what only the first query could have as a negative, nothing is learnt.
  const std::vector<int32_t> target = {4};
  const std::vector<PairOffset> rest = {{0, 1, kMasked}};
  SoftmaxGradients gradients;
  softmax_.Compute({.query = query_.narrow(0, 0, 1),
                    .candidate = candidate_,
                    .targets = target,
                    .pairs = rest,
                    .temperature = 0.5},
                   gradients);
  EXPECT_EQ(gradients.candidate[1].abs().max().item<float>(), 0);
  EXPECT_GT(gradients.candidate[2].abs().max().item<float>(), 0);
}

// Even where a candidate is nobody else's negative.
TEST_F(SampledSoftmaxTest, AnOffsetOfAPairReplacesThatOfTheCandidate) {
  std::vector<float> offsets = negative_offsets_;
  offsets[2] = kMasked;
  SoftmaxBatch batch = Batch();
  batch.negative_offsets = offsets;
  batch.pairs = pairs_;
  SoftmaxGradients gradients;
  softmax_.Compute(batch, gradients);
  EXPECT_GT(gradients.candidate[2].abs().max().item<float>(), 1e-4);
  batch.pairs = {};
  softmax_.Compute(batch, gradients);
  EXPECT_EQ(gradients.candidate[2].abs().max().item<float>(), 0);
}

TEST_F(SampledSoftmaxTest, AllTogetherIsAsAutograd) {
  SoftmaxBatch batch = Batch(0.1);
  batch.negative_offsets = negative_offsets_;
  batch.target_offsets = target_offsets_;
  batch.weights = weights_;
  batch.pairs = pairs_;
  ExpectAsAutograd(batch);
}

// The last two candidates are targets of some queries and nobody's negatives.
TEST_F(SampledSoftmaxTest, TargetsAloneAreNobodysNegatives) {
  std::vector<float> offsets = negative_offsets_;
  offsets[3] = offsets[4] = kMasked;
  const std::vector<PairOffset> masked = {
      {0, 1, kMasked}, {0, 3, kMasked}, {1, 3, kMasked}, {5, 4, kMasked}};
  SoftmaxBatch batch = Batch();
  batch.negative_offsets = offsets;
  batch.target_offsets = target_offsets_;
  batch.weights = weights_;
  batch.pairs = masked;
  ExpectAsAutograd(batch);
  batch.negatives = 3;
  ExpectAsAutograd(batch);
}

// An item that is there n times is one candidate with log n as a negative.
TEST_F(SampledSoftmaxTest, CountsStandForRepeatedCandidates) {
  SoftmaxGradients once, many;
  const std::vector<float> counts = {0, 0, 0, std::log(3.0f), 0};
  SoftmaxBatch counted = Batch();
  counted.negative_offsets = counts;
  const double loss = softmax_.Compute(counted, once);
  // Candidate 3 thrice; where it is the target, the others are masked.
  const torch::Tensor repeated = torch::cat(
      {candidate_, candidate_.narrow(0, 3, 1), candidate_.narrow(0, 3, 1)});
  std::vector<PairOffset> masked;
  for (int32_t i : {1, 2, 3}) {
    masked.push_back({i, 5, kMasked});
    masked.push_back({i, 6, kMasked});
  }
  EXPECT_NEAR(softmax_.Compute({.query = query_,
                                .candidate = repeated,
                                .targets = targets_,
                                .pairs = masked,
                                .temperature = 0.5},
                               many),
              loss, 1e-6);
  EXPECT_LT(LargestDifference(many.query, once.query.to(torch::kFloat64)),
            1e-6);
}

TEST_F(SampledSoftmaxTest, MoreThanABlockOfQueriesIsAsAutograd) {
  const int64_t many = 2500;
  std::vector<int32_t> targets(many);
  for (int64_t i = 0; i < many; ++i) {
    targets[i] = static_cast<int32_t>(i * i % kCandidates);
  }
  const std::vector<PairOffset> masked = {
      {1023, 0, kMasked}, {1024, 1, kMasked}, {2400, 3, kMasked}};
  const SoftmaxBatch batch = {.query = UnitRows(many, 4),
                              .candidate = candidate_,
                              .targets = targets,
                              .pairs = masked,
                              .temperature = 0.5};
  SoftmaxGradients gradients;
  const double loss = softmax_.Compute(batch, gradients);
  const Reference reference = Autograd(batch);
  EXPECT_NEAR(loss, reference.loss, 1e-5);
  EXPECT_LT(LargestDifference(gradients.query, reference.query), 1e-8);
  EXPECT_LT(LargestDifference(gradients.candidate, reference.candidate), 1e-6);
}

TEST_F(SampledSoftmaxTest, LowTemperatureAndOppositeVectorsStayFinite) {
  const std::vector<int32_t> targets = {0, 1, 2, 3, 4};
  SoftmaxGradients gradients;
  const double loss = softmax_.Compute({.query = candidate_,
                                        .candidate = -candidate_,
                                        .targets = targets,
                                        .temperature = 1e-3},
                                       gradients);
  EXPECT_GT(loss, 100);
  EXPECT_TRUE(std::isfinite(loss));
  EXPECT_TRUE(torch::isfinite(gradients.query).all().item<bool>());
  EXPECT_TRUE(torch::isfinite(gradients.candidate).all().item<bool>());
}

TEST_F(SampledSoftmaxTest, NoTraceOfTheBatchBefore) {
  SoftmaxGradients first, other, again;
  const double loss = softmax_.Compute(Batch(), first);
  const std::vector<int32_t> two = {0, 1};
  softmax_.Compute({.query = query_.narrow(0, 0, 2),
                    .candidate = UnitRows(40, 5),
                    .targets = two,
                    .pairs = pairs_},
                   other);
  EXPECT_EQ(softmax_.Compute(Batch(), again), loss);
  EXPECT_TRUE(first.query.equal(again.query));
  EXPECT_TRUE(first.candidate.equal(again.candidate));
}

}  // namespace
}  // namespace segue
