// One step of training against autograd through the exported towers.
#include <torch/script.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"
#include "tests/trainer/model/tiny_run.h"
#include "trainer/model/age.h"
#include "trainer/model/candidates.h"
#include "trainer/model/frequency_estimator.h"
#include "trainer/model/two_tower_model.h"

namespace segue {
namespace {

using segue::testing::IsOk;
using segue::testing::kTinyItems;
using segue::testing::kTinyUsers;
using segue::testing::TempFolder;
using segue::testing::TinyConfig;
using segue::testing::TinyRun;

// So large an epsilon makes a step plain gradient descent at a rate of 1: what
// a weight loses is its gradient.
v1::TrainerConfig DescentConfig() {
  v1::TrainerConfig config = TinyConfig();
  config.mutable_training()->set_learning_rate(1e6);
  config.mutable_training()->set_epsilon(1e6);
  config.mutable_training()->set_weight_decay(0);
  config.mutable_model()->set_item_id_dropout(0);
  config.mutable_model()->set_user_id_dropout(0);
  return config;
}

struct Towers {
  torch::jit::Module query, item;
};

Towers Saved(const TwoTowerModel& model) {
  const TempFolder folder;
  EXPECT_THAT(model.SaveTowers(folder / "query.pt", folder / "item.pt"),
              IsOk());
  return {torch::jit::load(folder / "query.pt"),
          torch::jit::load(folder / "item.pt")};
}

// All fused rows of items, or of users with the device of no request.
torch::Tensor ItemRows(const TwoTowerModel& model) {
  torch::Tensor rows = torch::empty({kTinyItems + 1, model.shape().item_width});
  for (int64_t row = 0; row <= kTinyItems; ++row) {
    model.ReadItemRow(
        row, {rows[row].data_ptr<float>(), static_cast<size_t>(rows.size(1))});
  }
  return rows;
}

torch::Tensor UserRows(const TwoTowerModel& model) {
  torch::Tensor rows = torch::empty({kTinyUsers + 1, model.shape().user_width});
  for (int64_t row = 0; row <= kTinyUsers; ++row) {
    model.ReadUserRow(
        row, {rows[row].data_ptr<float>(), static_cast<size_t>(rows.size(1))});
  }
  return rows;
}

torch::Tensor Devices(const TwoTowerModel& model) {
  const v1::FeatureSchema schema = model.Schema();
  const auto& embeddings = schema.request_features(0).embeddings();
  torch::Tensor rows = torch::empty({3, 2});
  for (int i = 0; i < 6; ++i) rows[i / 2][i % 2] = embeddings[i];
  return rows;
}

// The loss as the papers write it, over leaves that collect gradients.
class Reference {
 public:
  Reference(const TinyRun& run, const TwoTowerModel& model)
      : run_(run), towers_(Saved(model)) {
    items_ = ItemRows(model).requires_grad_(true);
    users_ = UserRows(model).requires_grad_(true);
    devices_ = Devices(model).requires_grad_(true);
    for (torch::jit::Module* tower : {&towers_.query, &towers_.item}) {
      for (torch::Tensor weights : tower->parameters()) {
        weights.requires_grad_(true);
      }
    }
  }

  double Loss(const std::vector<EvaluationQuery>& examples) {
    const EventLog& log = run_.data.log;
    const AgeScale age = AgeScale::Fit(log, run_.split, run_.config);
    const torch::Tensor nothing = torch::zeros({items_.size(1)});
    std::vector<torch::Tensor> users, histories, masks, seeds, targets;
    std::vector<float> ages, weights;
    std::vector<int32_t> items;
    for (const EvaluationQuery& example : examples) {
      const int64_t begin = log.user_begins[example.user], end = example.target;
      std::vector<torch::Tensor> history;
      std::vector<float> mask;
      for (int64_t e = end - 3; e < end; ++e) {
        mask.push_back(e >= begin ? 1.0f : 0.0f);
        history.push_back(e >= begin ? items_[log.items[e]] : nothing);
      }
      histories.push_back(torch::stack(history));
      masks.push_back(torch::tensor(mask));
      seeds.push_back(items_[log.items[end - 1]]);
      targets.push_back(items_[log.items[end]]);
      users.push_back(
          torch::cat({users_[example.user].slice(0, 0, 4),
                      devices_[log.request_features[0].Values(end)[0]]}));
      ages.push_back(age.Of(log.times[end]));
      weights.push_back(log.weights[end]);
      items.push_back(log.items[end]);
    }
    const torch::Tensor query =
        towers_.query
            .forward({torch::stack(users), torch::stack(histories),
                      torch::stack(masks), torch::stack(seeds),
                      torch::tensor(ages)})
            .toTensor();
    const torch::Tensor item =
        towers_.item.forward({torch::stack(targets)}).toTensor();
    std::vector<float> log_q;
    FrequencyEstimator frequency(kTinyItems, 0,
                                 run_.config.training().logq_alpha());
    frequency.Observe(items);
    for (const int32_t item : items) {
      log_q.push_back(
          static_cast<float>(std::log(frequency.Probability(item))));
    }
    torch::Tensor logits =
        query.mm(item.t()) / run_.config.model().temperature() -
        torch::tensor(log_q).unsqueeze(0);
    torch::Tensor repeated =
        torch::zeros({logits.size(0), logits.size(0)}, torch::kBool);
    for (size_t i = 0; i < items.size(); ++i) {
      for (size_t j = 0; j < items.size(); ++j) {
        repeated[i][j] = i != j && items[i] == items[j];
      }
    }
    const torch::Tensor loss =
        -(torch::log_softmax(logits.masked_fill(repeated, -INFINITY), 1)
              .diagonal() *
          torch::tensor(weights))
             .mean();
    loss.backward();
    return loss.item<double>();
  }

  torch::Tensor items() const { return items_.grad(); }
  torch::Tensor users() const { return users_.grad(); }
  torch::Tensor devices() const { return devices_.grad(); }
  Towers& towers() { return towers_; }

 private:
  const TinyRun& run_;
  Towers towers_;
  torch::Tensor items_, users_, devices_;
};

void ExpectClose(const torch::Tensor& lost, const torch::Tensor& gradient,
                 const std::string& what) {
  EXPECT_TRUE(torch::allclose(lost, gradient, /*rtol=*/1e-3, /*atol=*/1e-5))
      << what << " lost\n"
      << lost << "\nthe gradient is\n"
      << gradient;
  EXPECT_GT(gradient.abs().max().item<float>(), 1e-3) << what;
}

TEST(TwoTowerGradientsTest, AStepGoesAlongTheGradientOfTheLoss) {
  const TinyRun run(DescentConfig());
  const auto model = run.NewModel();
  Reference reference(run, *model);
  std::vector<EvaluationQuery> examples = run.Batch(0, 0);
  examples.push_back({.user = 2, .target = 2 * 12 + 1});  // has padding
  const torch::Tensor items = ItemRows(*model), users = UserRows(*model);
  const torch::Tensor devices = Devices(*model);
  const double loss = model->TrainStep(examples);

  EXPECT_NEAR(loss, reference.Loss(examples), 1e-5);
  // Features are shared by rows: their columns are not the rows' own.
  ExpectClose((items - ItemRows(*model)).slice(1, 0, 4),
              reference.items().slice(1, 0, 4), "items");
  ExpectClose((users - UserRows(*model)).slice(1, 0, 2),
              reference.users().slice(1, 0, 2), "users");
  ExpectClose(devices - Devices(*model), reference.devices(), "devices");
  // The genre "jazz" is that of 1, 3, 5, 7, 9 and half of 0's.
  const torch::Tensor genres = reference.items().slice(1, 4, 7);
  ExpectClose(
      (items - ItemRows(*model))[1].slice(0, 4, 7),
      genres[1] + genres[3] + genres[5] + genres[7] + genres[9] + genres[0] / 2,
      "jazz");
  // Users 0, 2 and 4 are "free".
  const torch::Tensor plans = reference.users().slice(1, 2, 4);
  ExpectClose((users - UserRows(*model))[0].slice(0, 2, 4),
              plans[0] + plans[2] + plans[4], "free");
}

TEST(TwoTowerGradientsTest, TheTowersGoAlongTheirGradientsToo) {
  const TinyRun run(DescentConfig());
  const auto model = run.NewModel();
  Reference reference(run, *model);
  reference.Loss(run.Batch(0, 0));
  model->TrainStep(run.Batch(0, 0));
  Towers after = Saved(*model);
  const auto compare = [](const torch::jit::Module& before,
                          const torch::jit::Module& trained) {
    for (const auto& weights : before.named_parameters()) {
      ExpectClose(
          (weights.value - trained.attr(weights.name).toTensor()).detach(),
          weights.value.grad(), weights.name);
    }
  };
  compare(reference.towers().query, after.query);
  compare(reference.towers().item, after.item);
}

// The gradient of a sequence is that of windows that end at each of its events,
// where positions say nothing.
class SequenceGradientsTest : public ::testing::Test {
 protected:
  static v1::TrainerConfig Config(
      v1::EncoderConfig::Kind kind = v1::EncoderConfig::TRANSFORMER) {
    v1::TrainerConfig config = DescentConfig();
    config.mutable_model()->mutable_encoder()->set_kind(kind);
    config.mutable_model()->mutable_encoder()->set_width(8);
    config.mutable_model()->mutable_encoder()->set_dropout(0);
    config.mutable_training()->mutable_loss()->set_negatives(
        v1::LossConfig::FULL);
    return config;
  }
  // How far the items' own embeddings move: other columns are shared by rows.
  static std::vector<float> Moved(const TinyRun& run,
                                  const TrainingExamples& examples) {
    const auto model = run.NewModel();
    const torch::Tensor before = ItemRows(*model);
    model->TrainStep(examples);
    const torch::Tensor moved =
        (before - ItemRows(*model)).slice(1, 0, 4).contiguous();
    return {moved.data_ptr<float>(), moved.data_ptr<float>() + moved.numel()};
  }
};

TEST_F(SequenceGradientsTest, OneEventIsAWindowOfOne) {
  for (const auto kind :
       {v1::EncoderConfig::TRANSFORMER, v1::EncoderConfig::HSTU}) {
    const TinyRun run(Config(kind));
    // User 1's first event predicts the second.
    const std::vector<float> sequence = Moved(
        run,
        std::vector<TrainingSequence>{{.user = 1, .begin = 12, .length = 1}});
    const std::vector<float> window =
        Moved(run, std::vector<EvaluationQuery>{{.user = 1, .target = 13}});
    EXPECT_THAT(sequence,
                ::testing::Pointwise(::testing::FloatNear(1e-5), window));
    EXPECT_THAT(sequence, ::testing::Contains(::testing::Gt(1e-3f)));
  }
}

// User 1's first three events are 10 minutes apart: half powers of two of
// seconds are 600 in bucket 19, 1200 in 21 and 1800 in 22.
TEST_F(SequenceGradientsTest, TheBiasesOfTheTimesThatWereMetMove) {
  const TinyRun run(Config(v1::EncoderConfig::HSTU));
  const TrainingExamples sequence =
      std::vector<TrainingSequence>{{.user = 1, .begin = 12, .length = 3}};
  const TrainingExamples window =
      std::vector<EvaluationQuery>{{.user = 1, .target = 15}};
  for (const TrainingExamples& examples : {sequence, window}) {
    const auto model = run.NewModel();
    model->TrainStep(examples);
    const torch::Tensor bias =
        Saved(*model).query.attr("block0_time_bias").toTensor();
    for (int64_t bucket = 0; bucket < bias.numel(); ++bucket) {
      const bool met = bucket == 19 || bucket == 21 || bucket == 22;
      EXPECT_EQ(bias[bucket].item<float>() != 0, met) << bucket;
    }
  }
}

TEST_F(SequenceGradientsTest, WithoutSecondsThereIsNoTimeBias) {
  v1::TrainerConfig off = Config(v1::EncoderConfig::HSTU);
  off.mutable_model()->mutable_encoder()->set_time_bias(false);
  v1::TrainerConfig order = Config(v1::EncoderConfig::HSTU);
  order.mutable_events()->set_time_unit(v1::EventsConfig::ORDER);
  for (const v1::TrainerConfig& config :
       {off, order, Config(v1::EncoderConfig::TRANSFORMER)}) {
    const TinyRun run(config);
    const auto model = run.NewModel();
    EXPECT_FALSE(model->Schema().history_times());
    EXPECT_FALSE(Saved(*model).query.hasattr("block0_time_bias"));
    model->TrainStep(
        std::vector<TrainingSequence>{{.user = 1, .begin = 12, .length = 3}});
  }
  const TinyRun run(Config(v1::EncoderConfig::HSTU));
  EXPECT_TRUE(run.NewModel()->Schema().history_times());
}

TEST_F(SequenceGradientsTest, MaskedHistoryIsNoNegative) {
  v1::TrainerConfig config = Config();
  config.mutable_training()->mutable_loss()->set_mask_history(true);
  const TinyRun masking(config), plain(Config());
  const TrainingExamples examples =
      std::vector<TrainingSequence>{{.user = 1, .begin = 12, .length = 3}};
  EXPECT_LT(masking.NewModel()->TrainStep(examples),
            plain.NewModel()->TrainStep(examples) - 1e-3);
}

TEST_F(SequenceGradientsTest, TheLossIsTheMeanOverTargetsAlone) {
  v1::TrainerConfig config = Config();
  config.mutable_model()->set_example_age(false);  // ages are the targets'
  TinyRun run(config);
  const TrainingExamples two =
      std::vector<TrainingSequence>{{.user = 1, .begin = 12, .length = 2}};
  const double both = run.NewModel()->TrainStep(two);
  run.data.log.targets.assign(run.data.log.size(), true);
  run.data.log.targets[13] = false;
  const double second = run.NewModel()->TrainStep(two);
  run.data.log.targets[13] = true;
  run.data.log.targets[14] = false;
  const double first = run.NewModel()->TrainStep(two);
  EXPECT_NEAR((first + second) / 2, both, 1e-5);
  EXPECT_GT(std::abs(first - second), 1e-3);
}

TEST_F(SequenceGradientsTest, WhatIsNoTargetIsNoCandidateEither) {
  v1::TrainerConfig config = Config();
  config.mutable_training()->mutable_loss()->set_negatives(
      v1::LossConfig::IN_BATCH);
  TinyRun run(config);
  run.data.log.targets.assign(run.data.log.size(), false);
  run.data.log.targets[14] = true;
  // Compared with itself alone.
  EXPECT_EQ(run.NewModel()->TrainStep(std::vector<TrainingSequence>{
                {.user = 1, .begin = 12, .length = 3}}),
            0);
}

TEST_F(SequenceGradientsTest, DislikesAreMaskedOrComparedAsConfigured) {
  const TrainingExamples examples =
      std::vector<TrainingSequence>{{.user = 1, .begin = 12, .length = 3}};
  const auto loss = [&](v1::EventsConfig::Negatives negatives,
                        v1::LossConfig::Negatives drawn, uint32_t time = 2000) {
    v1::TrainerConfig config = Config();
    config.mutable_events()->set_negatives(negatives);
    config.mutable_training()->mutable_loss()->set_negatives(drawn);
    config.mutable_training()->mutable_loss()->set_uniform_negatives(1);
    TinyRun run(config);
    run.data.log.dislikes.user_begins = {0, 0, 2, 2, 2, 2, 2};
    run.data.log.dislikes.items = {8, 9};
    run.data.log.dislikes.times = {time, time};
    return run.NewModel()->TrainStep(examples);
  };
  using Events = v1::EventsConfig;
  EXPECT_LT(loss(Events::MASK, v1::LossConfig::FULL),
            loss(Events::IGNORE, v1::LossConfig::FULL) - 1e-3);
  // What comes after training tells it nothing.
  EXPECT_EQ(loss(Events::MASK, v1::LossConfig::FULL, /*time=*/100000),
            loss(Events::IGNORE, v1::LossConfig::FULL));
  // They are there in any case.
  EXPECT_NEAR(loss(Events::EXPLICIT, v1::LossConfig::FULL),
              loss(Events::IGNORE, v1::LossConfig::FULL), 1e-6);
  EXPECT_GT(loss(Events::EXPLICIT, v1::LossConfig::IN_BATCH),
            loss(Events::IGNORE, v1::LossConfig::IN_BATCH) + 1e-3);
}

TEST_F(SequenceGradientsTest, OnlyTheNewestDislikesOfAUserAreCompared) {
  const TrainingExamples examples =
      std::vector<TrainingSequence>{{.user = 1, .begin = 12, .length = 3}};
  const auto loss = [&](const std::vector<int32_t>& disliked) {
    v1::TrainerConfig config = Config();
    config.mutable_events()->set_negatives(v1::EventsConfig::EXPLICIT);
    config.mutable_training()->mutable_loss()->set_negatives(
        v1::LossConfig::IN_BATCH);
    TinyRun run(config);
    const auto count = static_cast<int64_t>(disliked.size());
    run.data.log.dislikes.user_begins = {0,     0,     count, count,
                                         count, count, count};
    run.data.log.dislikes.items = disliked;
    run.data.log.dislikes.times.assign(count, 2000);
    return run.NewModel()->TrainStep(examples);
  };
  std::vector<int32_t> many(kMostDislikes, 8);
  many.insert(many.begin(), 9);
  EXPECT_EQ(loss(many), loss({8}));
  std::reverse(many.begin(), many.end());
  EXPECT_NEAR(loss(many), loss({8, 9}), 1e-6);
  EXPECT_GT(loss({8, 9}), loss({8}) + 1e-3);
}

TEST_F(SequenceGradientsTest, AClippedStepIsShorterAndGoesTheSameWay) {
  v1::TrainerConfig config = Config();
  config.mutable_training()->set_gradient_clip(0.01);
  const TinyRun clipped(config), plain(Config());
  const TrainingExamples examples =
      std::vector<TrainingSequence>{{.user = 1, .begin = 12, .length = 3}};
  const std::vector<float> shorter = Moved(clipped, examples);
  const std::vector<float> whole = Moved(plain, examples);
  double along = 0, squares = 0, of_shorter = 0;
  for (size_t i = 0; i < whole.size(); ++i) {
    along += double{whole[i]} * shorter[i];
    squares += double{whole[i]} * whole[i];
    of_shorter += double{shorter[i]} * shorter[i];
  }
  EXPECT_GT(along / std::sqrt(squares * of_shorter), 0.99);
  EXPECT_LT(std::sqrt(of_shorter), 0.011);
  EXPECT_GT(std::sqrt(squares), 0.02);
}

TEST_F(SequenceGradientsTest, ALearntTemperatureMoves) {
  v1::TrainerConfig config = Config();
  const TrainingExamples examples =
      std::vector<TrainingSequence>{{.user = 1, .begin = 12, .length = 3}};
  const TinyRun fixed(config);
  const auto still = fixed.NewModel();
  still->TrainStep(examples);
  EXPECT_NEAR(still->temperature(), 0.1, 1e-6);
  config.mutable_model()->set_learn_temperature(true);
  const TinyRun learning(config);
  const auto model = learning.NewModel();
  model->TrainStep(examples);
  EXPECT_GT(std::abs(model->temperature() - 0.1), 1e-3);
}

TEST_F(SequenceGradientsTest, ALearntTemperatureStaysWithinItsBounds) {
  v1::TrainerConfig config = Config();
  config.mutable_model()->set_learn_temperature(true);
  config.mutable_training()->set_learning_rate(5);  // exp(5) at once
  const TinyRun run(config);
  const auto model = run.NewModel();
  model->TrainStep(
      std::vector<TrainingSequence>{{.user = 1, .begin = 12, .length = 3}});
  EXPECT_GE(model->temperature(), kLeastTemperature - 1e-6);
  EXPECT_LE(model->temperature(), kMostTemperature + 1e-6);
}

}  // namespace
}  // namespace segue
