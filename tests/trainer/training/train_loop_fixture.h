// Trains a tiny model in a folder of its own, as new processes would.
#ifndef SEGUE_TESTS_TRAINER_TRAINING_TRAIN_LOOP_FIXTURE_H_
#define SEGUE_TESTS_TRAINER_TRAINING_TRAIN_LOOP_FIXTURE_H_

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/temp_folder.h"
#include "tests/trainer/model/tiny_run.h"
#include "trainer/training/checkpoints.h"
#include "trainer/training/train_loop.h"

namespace segue::testing {

// 54 examples in batches of 16: three steps an epoch, twelve in all.
class TrainLoopFixture : public ::testing::Test {
 protected:
  TrainLoopFixture() : config_(TinyConfig()) {
    config_.set_run_dir(folder_.path());
    config_.mutable_model()->set_dropout(0.2);
  }

  // A transformer that learns from sequences, and whatever else a step may
  // depend on.
  void UseSequences() {
    v1::ModelConfig& model = *config_.mutable_model();
    model.set_learn_temperature(true);
    v1::EncoderConfig& encoder = *model.mutable_encoder();
    encoder.set_kind(v1::EncoderConfig::TRANSFORMER);
    encoder.set_width(8);
    encoder.set_blocks(1);
    encoder.set_dropout(0.3);
    v1::TrainingConfig& training = *config_.mutable_training();
    training.set_gradient_clip(0.5);
    training.set_schedule(v1::TrainingConfig::COSINE);
    training.set_warmup_steps(3);
    training.mutable_loss()->set_negatives(v1::LossConfig::MIXED);
    training.mutable_loss()->set_uniform_negatives(4);
  }

  // Trains a new model, as a new process would.
  absl::StatusOr<v1::TrainingState> Run(TrainLoopOptions options = {}) {
    run_ = std::make_unique<TinyRun>(config_);
    if (prepare_) prepare_(*run_);
    auto steps =
        TrainingSteps::Create(run_->data.log, run_->split, config_).value();
    model_ = TwoTowerModel::Create(run_->data, run_->split, config_,
                                   steps.Steps(0) * config_.training().epochs())
                 .value();
    if (options.fingerprint.empty()) options.fingerprint = "print";
    options.items = kTinyItems;
    Progress progress("");
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
  std::function<void(TinyRun&)> prepare_;  // what differs in the data
  std::unique_ptr<TinyRun> run_;
  std::unique_ptr<TwoTowerModel> model_;
  std::vector<std::vector<float>> served_;  // at each validation
};

}  // namespace segue::testing

#endif  // SEGUE_TESTS_TRAINER_TRAINING_TRAIN_LOOP_FIXTURE_H_
