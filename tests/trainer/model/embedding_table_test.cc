#include "trainer/model/embedding_table.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trainer/base/random.h"

namespace segue {
namespace {

constexpr int64_t kRows = 20;
constexpr int32_t kWidth = 3;
constexpr double kRate = 0.01;
const AdamWOptions kOptions = {.learning_rate = kRate, .weight_decay = 0.1};

using Gradients = std::vector<std::vector<double>>;  // [rows]; empty: idle

// AdamW as its paper writes it (Loshchilov and Hutter 2019, algorithm 2): every
// row at every step, in doubles.
class DenseAdamW {
 public:
  DenseAdamW(const EmbeddingTable& table, const AdamWOptions& options,
             bool idle_rows_drift = true)
      : options_(options), idle_rows_drift_(idle_rows_drift) {
    std::vector<float> row(kWidth);
    for (int64_t r = 0; r < table.rows(); ++r) {
      table.Read(r, absl::MakeSpan(row));
      weights_.emplace_back(row.begin(), row.end());
      first_.emplace_back(kWidth, 0.0);
      second_.emplace_back(kWidth, 0.0);
    }
  }

  void Step(const Gradients& gradients) {
    const double rate = options_.learning_rate.Of(step_);
    ++step_;
    const double correct1 = 1 - std::pow(options_.beta1, step_);
    const double correct2 = 1 - std::pow(options_.beta2, step_);
    for (size_t r = 0; r < weights_.size(); ++r) {
      for (int32_t i = 0; i < kWidth; ++i) {
        const double g = gradients[r].empty() ? 0 : gradients[r][i];
        double& m = first_[r][i];
        double& v = second_[r][i];
        m = options_.beta1 * m + (1 - options_.beta1) * g;
        v = options_.beta2 * v + (1 - options_.beta2) * g * g;
        double& w = weights_[r][i];
        w -= rate * options_.weight_decay * w;
        if (gradients[r].empty() && !idle_rows_drift_) continue;
        w -= rate * (m / correct1) /
             (std::sqrt(v / correct2) + options_.epsilon);
      }
    }
  }

  const std::vector<double>& Row(int64_t row) const { return weights_[row]; }

 private:
  AdamWOptions options_;
  bool idle_rows_drift_;
  int step_ = 0;
  std::vector<std::vector<double>> weights_, first_, second_;
};

void Step(EmbeddingTable& table, const Gradients& gradients) {
  for (int64_t r = 0; r < table.rows(); ++r) {
    if (gradients[r].empty()) continue;
    table.Touch(r);
    const std::vector<float> gradient(gradients[r].begin(), gradients[r].end());
    table.Update(r, gradient.data());
  }
  table.AdvanceStep();
}

std::vector<float> Read(const EmbeddingTable& table, int64_t row) {
  std::vector<float> out(table.width());
  table.Read(row, absl::MakeSpan(out));
  return out;
}

// A row is touched with this chance; its gradient points the same way more
// often than not, as real ones do.
Gradients Draw(Random& random, double chance) {
  Gradients gradients(kRows);
  for (std::vector<double>& row : gradients) {
    if (!random.Chance(chance)) continue;
    for (int32_t i = 0; i < kWidth; ++i) {
      row.push_back(static_cast<float>(0.1 * random.Normal() + 0.03 * i));
    }
  }
  return gradients;
}

double LargestDifference(const EmbeddingTable& table,
                         const DenseAdamW& reference) {
  double largest = 0;
  for (int64_t r = 0; r < table.rows(); ++r) {
    const std::vector<float> row = Read(table, r);
    for (int32_t i = 0; i < kWidth; ++i) {
      largest = std::max(largest, std::abs(row[i] - reference.Row(r)[i]));
    }
  }
  return largest;
}

// The largest difference in 500 steps that touch every row.
double DriftApart(const AdamWOptions& options) {
  EmbeddingTable table(kRows, kWidth, options, /*seed=*/1);
  DenseAdamW reference(table, options);
  Random random(2);
  double largest = 0;
  for (int step = 0; step < 500; ++step) {
    const Gradients gradients = Draw(random, 1);
    Step(table, gradients);
    reference.Step(gradients);
    largest = std::max(largest, LargestDifference(table, reference));
  }
  return largest;
}

TEST(EmbeddingTableTest, RowsTouchedEveryStepMoveAsWithDenseAdamW) {
  // Betas that a float holds exactly: only the weights and their decay round.
  AdamWOptions exact = kOptions;
  exact.beta1 = 0.875;
  exact.beta2 = 1 - 1.0 / 1024;
  EXPECT_LT(DriftApart(exact), 0.002 * kRate);
  // 1 - 0.999 as floats is off by 5e-5, and so is a little the step's length.
  EXPECT_LT(DriftApart(kOptions), 0.01 * kRate);
}

TEST(EmbeddingTableTest, RowsWithoutAnyGradientDecayExactly) {
  EmbeddingTable table(2, kWidth, kOptions, /*seed=*/1);
  const std::vector<float> start = Read(table, 0);
  for (const int64_t step : {1, 10, 1000, 4095, 4096, 10000}) {
    table.set_step(step);
    const double decay = std::pow(1 - 0.01 * 0.1, step);
    const std::vector<float> row = Read(table, 0);
    for (int32_t i = 0; i < kWidth; ++i) {
      EXPECT_NEAR(row[i] / (start[i] * decay), 1, 1e-6) << step;
    }
  }
}

TEST(EmbeddingTableTest, MomentsOfIdleRowsDecayExactly) {
  EmbeddingTable table(1, 1, kOptions, /*seed=*/1);
  const float gradient = 0.5;
  table.Touch(0);
  table.Update(0, &gradient);
  table.set_step(11);  // ten more
  table.Touch(0);
  EXPECT_NEAR(table.state()[1], 0.1 * 0.5 * std::pow(0.9, 10), 1e-8);
  EXPECT_NEAR(table.state()[2], 0.001 * 0.25 * std::pow(0.999, 10), 1e-8);
}

// What leaving out epsilon and freezing the bias corrections costs where rows
// are touched at every 20th step on average: below 3 learning rates at first,
// while the corrections change fast, below half of one later. Rows that decay
// but do not drift while idle (lazy Adam) end up a hundred away.
TEST(EmbeddingTableTest, IdleRowsDriftAlmostAsWithDenseAdamW) {
  EmbeddingTable table(kRows, kWidth, kOptions, /*seed=*/1);
  DenseAdamW reference(table, kOptions);
  DenseAdamW without_drift(table, kOptions, /*idle_rows_drift=*/false);
  Random random(2);
  for (int step = 0; step < 3000; ++step) {
    const Gradients gradients = Draw(random, 0.05);
    Step(table, gradients);
    reference.Step(gradients);
    without_drift.Step(gradients);
    ASSERT_LT(LargestDifference(table, reference),
              (step < 2000 ? 3 : 0.5) * kRate)
        << step;
  }
  EXPECT_GT(LargestDifference(table, without_drift), 50 * kRate);
}

// Over 3,000 steps of a cosine with a warm-up.
TEST(EmbeddingTableTest, IdleRowsFollowAScheduleAlmostAsWithDenseAdamW) {
  v1::TrainingConfig schedule;
  schedule.set_learning_rate(kRate);
  schedule.set_warmup_steps(100);
  schedule.set_schedule(v1::TrainingConfig::COSINE);
  AdamWOptions options = kOptions;
  options.learning_rate = LearningRate(schedule, 3000);
  EmbeddingTable table(kRows, kWidth, options, /*seed=*/1);
  DenseAdamW reference(table, options);
  Random random(2);
  for (int step = 0; step < 3000; ++step) {
    const Gradients gradients = Draw(random, 0.05);
    Step(table, gradients);
    reference.Step(gradients);
    ASSERT_LT(LargestDifference(table, reference), 3 * kRate) << step;
  }
  EXPECT_LT(LargestDifference(table, reference), 0.5 * kRate);
}

TEST(EmbeddingTableTest, AScaledGradientIsTheScaledGradient) {
  EmbeddingTable scaled(1, kWidth, kOptions, 1), plain(1, kWidth, kOptions, 1);
  const std::vector<float> gradient = {1, -2, 3}, half = {0.5, -1, 1.5};
  scaled.Update(0, gradient.data(), 0.5);
  plain.Update(0, half.data());
  EXPECT_EQ(scaled.state(), plain.state());
}

TEST(EmbeddingTableTest, ReadIsWhatTouchWouldGive) {
  for (const int64_t idle : {0, 1, 7, 4095, 4096, 100000}) {
    EmbeddingTable table(2, kWidth, kOptions, /*seed=*/1);
    Step(table, {{1, -2, 3}, {}});
    table.set_step(1 + idle);
    for (const int64_t row : {0, 1}) {
      const std::vector<float> read = Read(table, row);
      EXPECT_EQ(read, Read(table, row));
      table.Touch(row);
      EXPECT_EQ(std::vector<float>(table.Row(row), table.Row(row) + kWidth),
                read)
          << idle;
    }
  }
}

TEST(EmbeddingTableTest, TouchingTwiceInAStepIsTouchingOnce) {
  EmbeddingTable table(2, kWidth, kOptions, /*seed=*/1);
  Step(table, {{1, -2, 3}, {}});
  table.set_step(9);
  table.Touch(0);
  const std::vector<float> once = table.state();
  table.Touch(0);
  EXPECT_EQ(table.state(), once);
}

TEST(EmbeddingTableTest, LongIdlenessLeavesFiniteWeights) {
  EmbeddingTable table(1, kWidth, kOptions, /*seed=*/1);
  Step(table, {{1e-20, 1, 1e4}});
  table.set_step(int64_t{1} << 40);
  table.Touch(0);
  for (const float value : table.state()) EXPECT_TRUE(std::isfinite(value));
  table.Update(0, std::vector<float>{1e-20f, 1, 0}.data());
  for (const float value : table.state()) EXPECT_TRUE(std::isfinite(value));
}

TEST(EmbeddingTableTest, RowsBeginNormalByTheirSeed) {
  EmbeddingTable table(1000, 8, kOptions, /*seed=*/1);
  double sum = 0, squares = 0;
  for (int64_t row = 0; row < 1000; ++row) {
    for (const float w : Read(table, row)) {
      sum += w;
      squares += double{w} * w;
    }
  }
  EXPECT_NEAR(sum / 8000, 0, 0.001);
  EXPECT_NEAR(std::sqrt(squares / 8000), 0.02, 0.001);

  EmbeddingTable same(1000, 8, kOptions, 1), other(1000, 8, kOptions, 2);
  EXPECT_EQ(same.state(), table.state());
  EXPECT_NE(other.state(), table.state());
}

}  // namespace
}  // namespace segue
