#include "trainer/training/train_loop.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"
#include "tests/trainer/model/tiny_dataset.h"
#include "trainer/training/checkpoints.h"

namespace segue {
namespace {

using segue::testing::IsOk;
using segue::testing::StatusIs;
using segue::testing::TempFolder;
using segue::testing::TinyConfig;
using segue::testing::TinyRun;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

// 54 examples in batches of 16: three steps an epoch, twelve in all.
class TrainLoopTest : public ::testing::Test {
 protected:
  TrainLoopTest() : config_(TinyConfig()) {
    config_.set_run_dir(folder_.path());
    config_.mutable_model()->set_dropout(0.2);
  }

  // Trains a new model, as a new process would.
  absl::StatusOr<v1::TrainingState> Run(TrainLoopOptions options = {}) {
    run_ = std::make_unique<TinyRun>(config_);
    model_ = run_->NewModel();
    if (options.fingerprint.empty()) options.fingerprint = "print";
    Progress progress("");
    auto steps =
        TrainingSteps::Create(run_->data.log, run_->split, config_).value();
    return Train(*model_, steps, config_, options, progress);
  }
  absl::StatusOr<v1::TrainingState> Resume(
      const std::string& fingerprint = "print") {
    return Run({.resume = true, .fingerprint = fingerprint});
  }

  std::vector<float> Served() { return run_->Served(*model_); }

  std::set<std::string> Files() const {
    std::set<std::string> names;
    for (const auto& entry :
         std::filesystem::directory_iterator(folder_ / "checkpoints")) {
      names.insert(entry.path().filename());
    }
    return names;
  }
  Checkpoints checkpoints() const { return Checkpoints(folder_.path()); }

  // Answers each epoch's validation with the next of `recalls`, and keeps what
  // the model then was.
  TrainLoopOptions WithRecalls(const std::vector<double>& recalls,
                               std::atomic<bool>* stop_at_end = nullptr) {
    TrainLoopOptions options;
    options.validate = [this, recalls, stop_at_end](
                           TwoTowerModel& model) -> absl::StatusOr<double> {
      served_.push_back(run_->Served(model));
      if (served_.size() > recalls.size()) {
        return absl::InternalError("one epoch too many");
      }
      if (stop_at_end != nullptr && served_.size() == recalls.size()) {
        stop_at_end->store(true);
      }
      return recalls[served_.size() - 1];
    };
    return options;
  }

  const TempFolder folder_;
  v1::TrainerConfig config_;
  std::unique_ptr<TinyRun> run_;
  std::unique_ptr<TwoTowerModel> model_;
  std::vector<std::vector<float>> served_;  // at each validation
};

TEST_F(TrainLoopTest, TrainsEveryEpochAndLeavesItsHistory) {
  const auto state = Run();
  ASSERT_THAT(state, IsOk());
  EXPECT_EQ(model_->step(), 12);
  EXPECT_EQ(state->epoch(), 4);
  EXPECT_EQ(state->best_epoch(), 4);
  ASSERT_EQ(state->loss_size(), 4);
  EXPECT_LT(state->loss(3), state->loss(0));
  EXPECT_EQ(state->epoch_seconds_size(), 4);
  EXPECT_EQ(state->fingerprint(), "print");
}

TEST_F(TrainLoopTest, LossOfAnEpochIsTheMeanOverItsSteps) {
  const auto state = Run();
  ASSERT_THAT(state, IsOk());
  const auto model = run_->NewModel();
  for (int epoch = 0; epoch < 4; ++epoch) {
    double sum = 0;
    for (int batch = 0; batch < 3; ++batch) {
      sum += model->TrainStep(run_->Batch(epoch, batch));
    }
    EXPECT_DOUBLE_EQ(state->loss(epoch), sum / 3);
  }
  EXPECT_EQ(run_->Served(*model), Served());
}

TEST_F(TrainLoopTest, KeepsAsManyCheckpointsAsConfigured) {
  ASSERT_THAT(Run(), IsOk());
  EXPECT_THAT(Files(),
              ElementsAre("step-000000000009.ckpt", "step-000000000012.ckpt"));
  config_.mutable_training()->set_keep_checkpoints(3);
  ASSERT_THAT(Run(), IsOk());
  EXPECT_THAT(Files(),
              ElementsAre("step-000000000006.ckpt", "step-000000000009.ckpt",
                          "step-000000000012.ckpt"));
}

TEST_F(TrainLoopTest, ABatchLargerThanTheDataIsAllOfIt) {
  config_.mutable_training()->set_batch_size(1000);
  ASSERT_THAT(Run(), IsOk());
  EXPECT_EQ(model_->step(), 4);
}

TEST_F(TrainLoopTest, StopFlagLeavesACheckpointAndIsCancelled) {
  const std::atomic<bool> stop = true;
  EXPECT_THAT(Run({.stop = &stop}),
              StatusIs(absl::StatusCode::kCancelled,
                       AllOf(HasSubstr("step 1"), HasSubstr("--resume"))));
  EXPECT_THAT(checkpoints().StepFiles(),
              ElementsAre(checkpoints().StepPath(1)));
}

TEST_F(TrainLoopTest, StoppedAfterEveryStepEndsAsIfNeverStopped) {
  const auto whole = Run();
  ASSERT_THAT(whole, IsOk());
  const std::vector<float> served = Served();

  const std::atomic<bool> stop = true;
  absl::StatusOr<v1::TrainingState> state = Run({.stop = &stop});
  int stops = 0;
  while (absl::IsCancelled(state.status()) && stops < 100) {
    ++stops;
    state = Run({.resume = true, .fingerprint = "print", .stop = &stop});
  }
  ASSERT_THAT(state, IsOk());
  EXPECT_EQ(stops, 12);
  EXPECT_EQ(state->epoch(), 4);
  EXPECT_THAT(state->loss(), ElementsAreArray(whole->loss()));
  EXPECT_EQ(state->epoch_seconds_size(), 4);
  EXPECT_EQ(Served(), served);
}

TEST_F(TrainLoopTest, StoppedWithEarlyStoppingGoesOnWithItsHistory) {
  config_.mutable_training()->set_early_stopping_epochs(3);
  ASSERT_THAT(Run(WithRecalls({0.1, 0.4, 0.2, 0.3})), IsOk());
  const std::vector<float> served = Served();
  served_.clear();

  std::atomic<bool> stop = false;
  EXPECT_THAT(
      [&] {
        TrainLoopOptions options = WithRecalls({0.1, 0.4}, &stop);
        options.stop = &stop;
        return Run(options);
      }(),
      StatusIs(absl::StatusCode::kCancelled, HasSubstr("step 7")));
  served_.clear();
  TrainLoopOptions options = WithRecalls({0.2, 0.3});
  options.resume = true;
  const auto state = Run(options);
  ASSERT_THAT(state, IsOk());
  EXPECT_THAT(state->validation_recall(), ElementsAre(0.1, 0.4, 0.2, 0.3));
  EXPECT_EQ(state->best_epoch(), 2);
  EXPECT_EQ(Served(), served);
}

TEST_F(TrainLoopTest, ResumingWhatIsDoneGivesTheSameModel) {
  const auto first = Run();
  ASSERT_THAT(first, IsOk());
  const std::vector<float> served = Served();
  const auto again = Resume();
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->SerializeAsString(), first->SerializeAsString());
  EXPECT_EQ(Served(), served);
}

TEST_F(TrainLoopTest, MoreEpochsMayFollow) {
  const auto whole = Run();
  ASSERT_THAT(whole, IsOk());
  const std::vector<float> served = Served();
  config_.mutable_training()->set_epochs(1);
  ASSERT_THAT(Run(), IsOk());
  EXPECT_NE(Served(), served);
  config_.mutable_training()->set_epochs(4);
  const auto resumed = Resume();
  ASSERT_THAT(resumed, IsOk());
  EXPECT_THAT(resumed->loss(), ElementsAreArray(whole->loss()));
  EXPECT_EQ(Served(), served);
}

TEST_F(TrainLoopTest, ResumeWithoutACheckpointBeginsAnew) {
  const auto state = Resume();
  ASSERT_THAT(state, IsOk());
  EXPECT_EQ(state->epoch(), 4);
  EXPECT_EQ(model_->step(), 12);
}

TEST_F(TrainLoopTest, ANewRunRemovesTheCheckpointsOfTheOldOne) {
  ASSERT_THAT(Run(), IsOk());
  config_.mutable_training()->set_epochs(1);
  ASSERT_THAT(Run(), IsOk());
  EXPECT_THAT(Files(), ElementsAre("step-000000000003.ckpt"));
}

TEST_F(TrainLoopTest, ACheckpointOfAnotherRunIsRefusedAndKept) {
  ASSERT_THAT(Run(), IsOk());
  EXPECT_THAT(Resume("another print"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("step-000000000012.ckpt"),
                             HasSubstr("without --resume"))));
  EXPECT_THAT(Resume(), IsOk());
}

TEST_F(TrainLoopTest, ACheckpointOfAnotherShapeIsRefused) {
  ASSERT_THAT(Run(), IsOk());
  config_.mutable_model()->set_layers(0, 17);
  EXPECT_THAT(Resume(), StatusIs(absl::StatusCode::kFailedPrecondition,
                                 HasSubstr("of another shape")));
}

TEST_F(TrainLoopTest, ADamagedCheckpointGivesWayToTheOneBefore) {
  const auto whole = Run();
  ASSERT_THAT(whole, IsOk());
  const std::vector<float> served = Served();
  std::ofstream(checkpoints().StepPath(12)) << "garbage";
  const auto resumed = Resume();
  ASSERT_THAT(resumed, IsOk());
  EXPECT_THAT(resumed->loss(), ElementsAreArray(whole->loss()));
  EXPECT_EQ(Served(), served);
}

TEST_F(TrainLoopTest, OnlyDamagedCheckpointsAreDataLoss) {
  ASSERT_THAT(Run(), IsOk());
  for (const std::string& file : checkpoints().StepFiles()) {
    std::ofstream(file) << "garbage";
  }
  EXPECT_THAT(Resume(), StatusIs(absl::StatusCode::kDataLoss,
                                 AllOf(HasSubstr("step-000000000009.ckpt"),
                                       HasSubstr("without --resume"))));
  EXPECT_EQ(Files().size(), 2u);
}

TEST_F(TrainLoopTest, ARunDirThatCannotBeMadeIsSaidSo) {
  std::ofstream(folder_ / "file") << "x";
  config_.set_run_dir(folder_ / "file");
  const auto state = Run();
  EXPECT_FALSE(state.ok());
  EXPECT_THAT(std::string(state.status().message()), HasSubstr("file"));
}

// One step an epoch: the first one ruins the weights, the second one shows it.
TEST_F(TrainLoopTest, ALossThatIsNotFiniteStopsAndKeepsTheLastCheckpoint) {
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

TEST_F(TrainLoopTest, MaxStepsEndsAnEpochBeforeItsTime) {
  config_.mutable_training()->set_max_steps(5);
  const auto state = Run();
  ASSERT_THAT(state, IsOk());
  EXPECT_EQ(model_->step(), 5);
  EXPECT_EQ(state->loss_size(), 2);
  EXPECT_THAT(state->epoch_examples(), ElementsAre(48, 32));
  EXPECT_EQ(checkpoints().StepFiles().front(), checkpoints().StepPath(5));
  const auto again = Resume();
  ASSERT_THAT(again, IsOk());
  EXPECT_THAT(again->loss(), ElementsAreArray(state->loss()));
}

TEST_F(TrainLoopTest, HigherMaxStepsGoesOnWithinTheEpoch) {
  const auto whole = Run();
  ASSERT_THAT(whole, IsOk());
  const std::vector<float> served = Served();
  config_.mutable_training()->set_max_steps(5);
  ASSERT_THAT(Run(), IsOk());
  config_.mutable_training()->set_max_steps(0);
  const auto resumed = Resume();
  ASSERT_THAT(resumed, IsOk());
  EXPECT_THAT(resumed->loss(), ElementsAreArray(whole->loss()));
  EXPECT_EQ(Served(), served);
}

TEST_F(TrainLoopTest, AnEpochCutShortIsNotComparedWithTheOthers) {
  config_.mutable_training()->set_early_stopping_epochs(2);
  config_.mutable_training()->set_max_steps(5);
  const auto state = Run(WithRecalls({0.1}));
  ASSERT_THAT(state, IsOk());
  EXPECT_EQ(state->epoch(), 2);
  EXPECT_EQ(state->best_epoch(), 1);
  EXPECT_THAT(state->validation_recall(), ElementsAre(0.1));
  EXPECT_EQ(Served(), served_[0]);
}

TEST_F(TrainLoopTest, WithoutAWholeEpochTheLastStepIsWhatThereIs) {
  config_.mutable_training()->set_early_stopping_epochs(2);
  config_.mutable_training()->set_max_steps(2);
  const auto state = Run(WithRecalls({}));
  ASSERT_THAT(state, IsOk());
  EXPECT_EQ(state->best_epoch(), 0);
  EXPECT_EQ(model_->step(), 2);
}

TEST_F(TrainLoopTest, MaxStepsAtTheEndOfAnEpochBeginsNoOther) {
  config_.mutable_training()->set_max_steps(6);
  const auto state = Run();
  ASSERT_THAT(state, IsOk());
  EXPECT_EQ(model_->step(), 6);
  EXPECT_EQ(state->epoch(), 2);
}

TEST_F(TrainLoopTest, EarlyStoppingPublishesTheBestEpoch) {
  config_.mutable_training()->set_epochs(50);
  config_.mutable_training()->set_early_stopping_epochs(2);
  // Nor does a recall as good as the best count as better.
  const auto state = Run(WithRecalls({0.1, 0.3, 0.2, 0.3}));
  ASSERT_THAT(state, IsOk());
  EXPECT_EQ(state->epoch(), 4);
  EXPECT_EQ(state->best_epoch(), 2);
  EXPECT_THAT(state->validation_recall(), ElementsAre(0.1, 0.3, 0.2, 0.3));
  ASSERT_EQ(served_.size(), 4u);
  EXPECT_EQ(Served(), served_[1]);
  EXPECT_NE(Served(), served_[3]);
  EXPECT_THAT(Files(), ElementsAre("best.ckpt", "step-000000000009.ckpt",
                                   "step-000000000012.ckpt"));
}

TEST_F(TrainLoopTest, TheBestEpochIsPublishedWhereEpochsRunOut) {
  config_.mutable_training()->set_early_stopping_epochs(10);
  const auto state = Run(WithRecalls({0.5, 0.1, 0.1, 0.1}));
  ASSERT_THAT(state, IsOk());
  EXPECT_EQ(state->best_epoch(), 1);
  EXPECT_EQ(Served(), served_[0]);
}

TEST_F(TrainLoopTest, TheLastEpochIsPublishedWhereItIsTheBest) {
  config_.mutable_training()->set_early_stopping_epochs(1);
  const auto state = Run(WithRecalls({0.1, 0.2, 0.3, 0.4}));
  ASSERT_THAT(state, IsOk());
  EXPECT_EQ(state->best_epoch(), 4);
  EXPECT_EQ(Served(), served_[3]);
}

TEST_F(TrainLoopTest, ResumingAStoppedRunPublishesItsBestEpochAgain) {
  config_.mutable_training()->set_early_stopping_epochs(2);
  ASSERT_THAT(Run(WithRecalls({0.3, 0.2, 0.1})), IsOk());
  const std::vector<float> served = Served();
  const auto state = Resume();
  ASSERT_THAT(state, IsOk());
  EXPECT_EQ(state->best_epoch(), 1);
  EXPECT_EQ(Served(), served);
}

TEST_F(TrainLoopTest, AFailedValidationEndsTheRun) {
  config_.mutable_training()->set_early_stopping_epochs(2);
  EXPECT_THAT(Run(WithRecalls({})), StatusIs(absl::StatusCode::kInternal,
                                             HasSubstr("one epoch too many")));
}

TEST_F(TrainLoopTest, WithoutEarlyStoppingNothingIsValidated) {
  ASSERT_THAT(Run(WithRecalls({})), IsOk());
  EXPECT_EQ(served_.size(), 0u);
  EXPECT_EQ(Files().count("best.ckpt"), 0u);
}

}  // namespace
}  // namespace segue
