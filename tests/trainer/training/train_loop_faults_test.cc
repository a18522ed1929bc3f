// What goes wrong while a model is trained, and what is left then.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/file_size_limit.h"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/training/train_loop_fixture.h"

namespace segue {
namespace {

using segue::testing::FileSizeLimit;
using segue::testing::IsOk;
using segue::testing::StatusIs;
using segue::testing::TinyRun;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// What a loss becomes where the examples weigh so much more.
constexpr float kRaise = 100;

class TrainLoopFaultsTest : public segue::testing::TrainLoopFixture {
 protected:
  static void RaiseLosses(TinyRun& run) {
    for (float& weight : run.data.log.weights) weight *= kRaise;
  }

  // Leaves the checkpoint of the first epoch, at step 3.
  void TrainOneEpoch() {
    config_.mutable_training()->set_epochs(1);
    ASSERT_THAT(Run(), IsOk());
    ASSERT_THAT(Files(), ElementsAre("step-000000000003.ckpt"));
    config_.mutable_training()->set_epochs(4);
  }
};

TEST_F(TrainLoopFaultsTest, ADamagedCheckpointGivesWayToTheOneBefore) {
  const auto whole = Run();
  ASSERT_THAT(whole, IsOk());
  const std::vector<float> served = Served();
  std::ofstream(checkpoints().StepPath(12)) << "garbage";
  const auto resumed = Resume();
  ASSERT_THAT(resumed, IsOk());
  EXPECT_THAT(resumed->loss(), ElementsAreArray(whole->loss()));
  EXPECT_EQ(Served(), served);
}

TEST_F(TrainLoopFaultsTest, OnlyDamagedCheckpointsAreDataLoss) {
  ASSERT_THAT(Run(), IsOk());
  for (const std::string& file : checkpoints().StepFiles()) {
    std::ofstream(file) << "garbage";
  }
  EXPECT_THAT(Resume(), StatusIs(absl::StatusCode::kDataLoss,
                                 AllOf(HasSubstr("step-000000000009.ckpt"),
                                       HasSubstr("without --resume"))));
  EXPECT_EQ(Files().size(), 2u);
}

TEST_F(TrainLoopFaultsTest, ARunDirThatCannotBeMadeIsSaidSo) {
  std::ofstream(folder_ / "file") << "x";
  config_.set_run_dir(folder_ / "file");
  const auto state = Run();
  EXPECT_FALSE(state.ok());
  EXPECT_THAT(std::string(state.status().message()), HasSubstr("file"));
}

// One step an epoch: the first one ruins the weights, the second one shows it.
TEST_F(TrainLoopFaultsTest,
       ALossThatIsNotFiniteStopsAndKeepsTheLastCheckpoint) {
  config_.mutable_training()->set_batch_size(1000);
  config_.mutable_training()->set_learning_rate(1e30);
  EXPECT_THAT(
      Run(), StatusIs(absl::StatusCode::kFailedPrecondition,
                      AllOf(HasSubstr("nan"), HasSubstr("step 1"),
                            HasSubstr("epoch 2"), HasSubstr("learning_rate"))));
  EXPECT_THAT(checkpoints().StepFiles(),
              ElementsAre(checkpoints().StepPath(1)));
  EXPECT_THAT(
      run_->NewModel()->LoadCheckpoint(checkpoints().StepPath(1), "print"),
      IsOk());
}

// Softmax over logits of 1e25: the loss is a number, the square of its gradient
// is none that a float holds.
TEST_F(TrainLoopFaultsTest, AGradientThatIsNotFiniteIsNotApplied) {
  config_.mutable_model()->set_temperature(1e-25);
  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kFailedPrecondition,
                              AllOf(HasSubstr("gradient is nan at step 0"),
                                    HasSubstr("no checkpoint yet"))));
  EXPECT_THAT(Files(), IsEmpty());
  EXPECT_EQ(model_->step(), 0);
  EXPECT_EQ(Served(), run_->Served(*run_->NewModel()));
}

TEST_F(TrainLoopFaultsTest, ADivergentLossStopsAndKeepsTheGoodCheckpoint) {
  TrainOneEpoch();
  prepare_ = RaiseLosses;
  EXPECT_THAT(Resume(), StatusIs(absl::StatusCode::kFailedPrecondition,
                                 AllOf(HasSubstr("mean loss of the epoch"),
                                       HasSubstr("epoch 2"),
                                       HasSubstr("the best epoch before"),
                                       HasSubstr("learning_rate (now 0.01)"),
                                       HasSubstr("newest checkpoint is"),
                                       HasSubstr("step-000000000003.ckpt"))));
  EXPECT_EQ(model_->step(), 6);
  EXPECT_THAT(Files(), ElementsAre("step-000000000003.ckpt"));
}

TEST_F(TrainLoopFaultsTest, ALossThatDivergesAtOnceIsComparedWithTheFirstStep) {
  // All but the examples of the first step.
  prepare_ = [](TinyRun& run) {
    RaiseLosses(run);
    for (const EvaluationQuery& example : run.Batch(0, 0)) {
      run.data.log.weights[example.target] /= kRaise;
    }
  };
  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kFailedPrecondition,
                              AllOf(HasSubstr("where training began"),
                                    HasSubstr("no checkpoint yet"))));
  EXPECT_EQ(model_->step(), 3);
  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(TrainLoopFaultsTest,
       LossesThatAreHighFromTheFirstStepOnAreNoDivergence) {
  prepare_ = RaiseLosses;
  EXPECT_THAT(Run(), IsOk());
}

TEST_F(TrainLoopFaultsTest, ALongEpochThatDivergesIsNotWaitedFor) {
  TrainOneEpoch();
  prepare_ = RaiseLosses;
  config_.mutable_training()->set_checkpoint_minutes(1e-12);
  EXPECT_THAT(Resume(), StatusIs(absl::StatusCode::kFailedPrecondition,
                                 HasSubstr("mean loss of the epoch")));
  EXPECT_EQ(model_->step(), 4);
  EXPECT_THAT(Files(), ElementsAre("step-000000000003.ckpt"));
}

TEST_F(TrainLoopFaultsTest, AFullDiskStopsAndTheRunGoesOnOnceThereIsRoom) {
  const auto whole = Run();
  ASSERT_THAT(whole, IsOk());
  const std::vector<float> served = Served();
  TrainOneEpoch();
  {
    const FileSizeLimit full(20000);
    EXPECT_THAT(
        std::string(Resume().status().message()),
        AllOf(HasSubstr("cannot write"), HasSubstr("step-000000000006.ckpt"),
              HasSubstr("File too large"), HasSubstr("stopped at step 6"),
              HasSubstr("newest checkpoint is"),
              HasSubstr("step-000000000003.ckpt")));
  }
  EXPECT_THAT(Files(), ElementsAre("step-000000000003.ckpt"));
  const auto resumed = Resume();
  ASSERT_THAT(resumed, IsOk());
  EXPECT_THAT(resumed->loss(), ElementsAreArray(whole->loss()));
  EXPECT_EQ(Served(), served);
}

TEST_F(TrainLoopFaultsTest, WhatAKilledProcessLeftUnfinishedIsRemoved) {
  TrainOneEpoch();
  std::ofstream(checkpoints().StepPath(4) + ".tmp") << "half";
  ASSERT_THAT(Resume(), IsOk());
  EXPECT_EQ(Files().count("step-000000000004.ckpt.tmp"), 0u);
}

// Epoch 3 is the best and among the newest two.
TEST_F(TrainLoopFaultsTest, ADamagedBestCheckpointGivesWayToTheSameEpochs) {
  config_.mutable_training()->set_early_stopping_epochs(3);
  ASSERT_THAT(Run(WithRecalls({0.1, 0.2, 0.4, 0.3})), IsOk());
  const std::vector<float> served = Served();
  std::ofstream(checkpoints().best_path()) << "garbage";
  ASSERT_THAT(Resume(), IsOk());
  EXPECT_EQ(Served(), served);
  std::filesystem::remove(checkpoints().best_path());
  ASSERT_THAT(Resume(), IsOk());
  EXPECT_EQ(Served(), served);
}

TEST_F(TrainLoopFaultsTest, ALostBestEpochIsNotReplacedByAnother) {
  config_.mutable_training()->set_early_stopping_epochs(3);
  ASSERT_THAT(Run(WithRecalls({0.1, 0.4, 0.2, 0.3})), IsOk());
  std::filesystem::remove(checkpoints().best_path());
  EXPECT_THAT(
      Resume(),
      StatusIs(absl::StatusCode::kDataLoss,
               AllOf(HasSubstr("no whole checkpoint of epoch 2"),
                     HasSubstr("best.ckpt"), HasSubstr("without --resume"))));
}

}  // namespace
}  // namespace segue
