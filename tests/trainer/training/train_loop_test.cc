#include "trainer/training/train_loop.h"

#include <atomic>
#include <filesystem>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/training/train_loop_fixture.h"

namespace segue {
namespace {

using segue::testing::IsOk;
using segue::testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

class TrainLoopTest : public segue::testing::TrainLoopFixture {
 protected:
  // Stops after every step and goes on in a new process.
  void ExpectSameEndAfterEveryStop() {
    const auto whole = Run();
    ASSERT_THAT(whole, IsOk());
    const std::vector<float> served = Served();
    const int64_t steps = model_->step();

    const std::atomic<bool> stop = true;
    absl::StatusOr<v1::TrainingState> state = Run({.stop = &stop});
    int stops = 0;
    while (absl::IsCancelled(state.status()) && stops < 100) {
      ++stops;
      state = Run({.resume = true, .fingerprint = "print", .stop = &stop});
    }
    ASSERT_THAT(state, IsOk());
    EXPECT_EQ(stops, steps);
    EXPECT_EQ(state->epoch(), 4);
    EXPECT_THAT(state->loss(), ElementsAreArray(whole->loss()));
    EXPECT_EQ(state->epoch_seconds_size(), 4);
    EXPECT_EQ(Served(), served);
  }
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
  ExpectSameEndAfterEveryStop();
  EXPECT_EQ(model_->step(), 12);
}

TEST_F(TrainLoopTest, StoppedAfterEveryStepOfSequencesEndsAsIfNeverStopped) {
  UseSequences();
  ExpectSameEndAfterEveryStop();
}

TEST_F(TrainLoopTest, TheSameSeedGivesTheSameWeightsAndAnotherOneOthers) {
  UseSequences();
  ASSERT_THAT(Run(), IsOk());
  const std::vector<float> served = Served();
  ASSERT_THAT(Run(), IsOk());
  EXPECT_EQ(Served(), served);
  config_.set_seed(8);
  ASSERT_THAT(Run(), IsOk());
  EXPECT_NE(Served(), served);
}

TEST_F(TrainLoopTest, ALongEpochHasCheckpointsThatTheRunGoesOnFrom) {
  UseSequences();
  const auto whole = Run();
  ASSERT_THAT(whole, IsOk());
  const std::vector<float> served = Served();
  EXPECT_EQ(Files().size(), 2u);

  config_.mutable_training()->set_checkpoint_minutes(1e-12);
  config_.mutable_training()->set_keep_checkpoints(1000);
  ASSERT_THAT(Run(), IsOk());
  EXPECT_EQ(Served(), served);
  const std::vector<std::string> files = checkpoints().StepFiles();
  ASSERT_EQ(static_cast<int64_t>(files.size()), model_->step());
  // As if it had been killed at each of them.
  for (const std::string& file : files) {
    const auto resumed = Resume();
    ASSERT_THAT(resumed, IsOk());
    EXPECT_THAT(resumed->loss(), ElementsAreArray(whole->loss()));
    EXPECT_EQ(Served(), served) << "from " << file;
    for (const std::string& newer : checkpoints().StepFiles()) {
      if (newer >= file) std::filesystem::remove(newer);
    }
  }
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
