#include "trainer/training/train_loop.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "core/base/status_macros.h"
#include "trainer/training/checkpoints.h"

namespace segue {
namespace {

using Clock = std::chrono::steady_clock;

// A loss so many times as high as it was, and a nat more, has diverged.
constexpr double kDivergence = 1.5;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// One run of the loop; its members are what the stages share.
class Loop {
 public:
  Loop(TwoTowerModel& model, TrainingSteps& source,
       const v1::TrainerConfig& config, const TrainLoopOptions& options,
       Progress& progress)
      : model_(model),
        source_(source),
        config_(config.training()),
        options_(options),
        progress_(progress),
        checkpoints_(config.run_dir()) {}

  absl::StatusOr<v1::TrainingState> Run();

 private:
  absl::Status Begin();
  absl::Status Epoch();
  absl::Status EndEpoch();
  std::string NewestCheckpoint() const;
  absl::Status Save(const std::string& path);
  absl::Status SaveStep();
  // If checkpoint_minutes have passed, within an epoch.
  absl::Status SaveLongEpoch();
  absl::Status Ruined(const std::string& what) const;
  absl::Status CheckLoss() const;
  absl::Status LoadBest();
  bool Finished() const;
  bool OutOfSteps() const {
    return config_.max_steps() > 0 && model_.step() >= config_.max_steps();
  }
  bool StopsEarly() const { return config_.early_stopping_epochs() > 0; }
  void ShowStep(double seconds_before, Clock::time_point start);

  TwoTowerModel& model_;
  TrainingSteps& source_;
  const v1::TrainingConfig& config_;
  const TrainLoopOptions& options_;
  Progress& progress_;
  Checkpoints checkpoints_;
  int64_t steps_ = 0;  // of the current epoch
  Clock::time_point saved_at_ = Clock::now();
  v1::TrainingState state_;
};

absl::Status Loop::Begin() {
  RETURN_IF_ERROR(checkpoints_.CreateFolder());
  checkpoints_.RemoveUnfinished();
  state_.set_fingerprint(options_.fingerprint);
  const std::vector<std::string> files = checkpoints_.StepFiles();
  if (!options_.resume || files.empty()) {
    if (options_.resume) progress_.Line("no checkpoint yet: from the start");
    checkpoints_.Clear();
    return absl::OkStatus();
  }
  absl::Status status;
  for (const std::string& file : files) {
    auto loaded = model_.LoadCheckpoint(file, options_.fingerprint);
    if (loaded.ok()) {
      state_ = *std::move(loaded);
      progress_.Line(
          absl::StrCat("resumed at step ", model_.step(), " from ", file));
      return absl::OkStatus();
    }
    status = loaded.status();
    if (!absl::IsDataLoss(status)) return status;
    progress_.Line(absl::StrCat(status.message(), "; trying the one before"));
  }
  return absl::DataLossError(absl::StrCat(
      status.message(), "; no checkpoint is whole: train without --resume"));
}

bool Loop::Finished() const {
  if (state_.epoch() >= config_.epochs()) return true;
  // A begun epoch is still to be closed.
  if (OutOfSteps()) return state_.step_in_epoch() == 0;
  return StopsEarly() && state_.best_epoch() > 0 &&
         state_.epoch() - state_.best_epoch() >=
             config_.early_stopping_epochs();
}

std::string Loop::NewestCheckpoint() const {
  const std::vector<std::string> files = checkpoints_.StepFiles();
  return files.empty() ? "there is no checkpoint yet"
                       : absl::StrCat("the newest checkpoint is ", files[0]);
}

absl::Status Loop::Save(const std::string& path) {
  absl::Status saved = model_.SaveCheckpoint(path, state_);
  if (saved.ok()) return saved;
  return absl::Status(saved.code(),
                      absl::StrCat(saved.message(), "; stopped at step ",
                                   model_.step(), ", ", NewestCheckpoint()));
}

absl::Status Loop::SaveStep() {
  RETURN_IF_ERROR(Save(checkpoints_.StepPath(model_.step())));
  checkpoints_.Prune(config_.keep_checkpoints());
  saved_at_ = Clock::now();
  return absl::OkStatus();
}

absl::Status Loop::SaveLongEpoch() {
  const double minutes = config_.checkpoint_minutes();
  if (minutes == 0 || SecondsSince(saved_at_) < 60 * minutes ||
      state_.step_in_epoch() == steps_) {
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(CheckLoss());
  return SaveStep();
}

absl::Status Loop::Ruined(const std::string& what) const {
  return absl::FailedPreconditionError(absl::StrCat(
      what, " at step ", model_.step(), " of epoch ", state_.epoch() + 1,
      ": the weights have diverged. Lower training.learning_rate (now ",
      config_.learning_rate(),
      "), set training.gradient_clip or raise model.temperature, and train "
      "anew; ",
      NewestCheckpoint()));
}

absl::Status Loop::CheckLoss() const {
  const double loss =
      state_.loss_sum_in_epoch() / static_cast<double>(state_.step_in_epoch());
  const double guessing = std::log(static_cast<double>(options_.items));
  const double before =
      state_.loss().empty()
          ? std::max(state_.first_loss(), guessing)
          : *std::min_element(state_.loss().begin(), state_.loss().end());
  if (loss <= kDivergence * before + 1) return absl::OkStatus();
  return Ruined(absl::StrFormat(
      "the mean loss of the epoch is %.4f, far above %.4f, %s,", loss, before,
      state_.loss().empty() ? "where training began"
                            : "that of the best epoch before"));
}

void Loop::ShowStep(double seconds_before, Clock::time_point start) {
  const int64_t done = state_.step_in_epoch();
  const double seconds = seconds_before + SecondsSince(start);
  const double rate =
      static_cast<double>(state_.examples_in_epoch()) / std::max(seconds, 1e-9);
  const int64_t left = (config_.epochs() - state_.epoch()) * steps_ - done;
  progress_.Bar(
      absl::StrCat("epoch ", state_.epoch() + 1, "/", config_.epochs()), done,
      steps_,
      absl::StrFormat("loss %.4f  %.0f examples/s  %s left",
                      state_.loss_sum_in_epoch() / done, rate,
                      absl::FormatDuration(absl::Seconds(static_cast<int64_t>(
                          static_cast<double>(left) * seconds /
                          static_cast<double>(done))))));
}

absl::Status Loop::Epoch() {
  const Clock::time_point start = Clock::now();
  steps_ = source_.Steps(state_.epoch());
  const double seconds_before = state_.seconds_in_epoch();
  while (state_.step_in_epoch() < steps_ && !OutOfSteps()) {
    const TrainingExamples examples =
        source_.Examples(state_.epoch(), state_.step_in_epoch());
    const double loss = model_.TrainStep(examples);
    if (!std::isfinite(loss)) {
      return Ruined(absl::StrCat("the loss or its gradient is ", loss));
    }
    if (model_.step() == 1) state_.set_first_loss(loss);
    state_.set_loss_sum_in_epoch(state_.loss_sum_in_epoch() + loss);
    state_.set_step_in_epoch(state_.step_in_epoch() + 1);
    state_.set_examples_in_epoch(state_.examples_in_epoch() +
                                 source_.CountTargets(examples));
    state_.set_seconds_in_epoch(seconds_before + SecondsSince(start));
    ShowStep(seconds_before, start);
    if (options_.stop != nullptr && options_.stop->load()) {
      RETURN_IF_ERROR(SaveStep());
      return absl::CancelledError(absl::StrCat(
          "stopped at step ", model_.step(), "; go on with --resume"));
    }
    RETURN_IF_ERROR(SaveLongEpoch());
  }
  return absl::OkStatus();
}

absl::Status Loop::EndEpoch() {
  // max_steps came first. The checkpoint is of the middle of the epoch, so that
  // a higher limit goes on there; what is reported counts it as the last one.
  const bool cut_short = state_.step_in_epoch() < steps_;
  if (cut_short) {
    RETURN_IF_ERROR(SaveStep());
  } else {
    RETURN_IF_ERROR(CheckLoss());
  }
  const double loss =
      state_.loss_sum_in_epoch() / std::max<int64_t>(state_.step_in_epoch(), 1);
  const double seconds = state_.seconds_in_epoch();
  const auto examples = static_cast<double>(state_.examples_in_epoch());
  const double rate = examples / std::max(seconds, 1e-9);
  state_.add_loss(loss);
  state_.add_epoch_seconds(seconds);
  state_.add_epoch_examples(state_.examples_in_epoch());
  state_.set_epoch(state_.epoch() + 1);
  state_.set_step_in_epoch(0);
  state_.set_examples_in_epoch(0);
  state_.set_loss_sum_in_epoch(0);
  state_.set_seconds_in_epoch(0);
  std::string line =
      absl::StrFormat("epoch %d/%d  loss %.4f  %.0f examples/s  %.1f s",
                      state_.epoch(), config_.epochs(), loss, rate, seconds);
  bool best = false;
  if (!StopsEarly()) {
    state_.set_best_epoch(state_.epoch());
  } else if (!cut_short) {
    ASSIGN_OR_RETURN(const double recall, options_.validate(model_));
    const auto& before = state_.validation_recall();
    best = before.empty() ||
           recall > *std::max_element(before.begin(), before.end());
    state_.add_validation_recall(recall);
    if (best) state_.set_best_epoch(state_.epoch());
    absl::StrAppendFormat(&line, "  validation recall@%d %.4f%s",
                          config_.validation_k(), recall, best ? " *" : "");
  }
  progress_.Line(line);
  if (best) RETURN_IF_ERROR(Save(checkpoints_.best_path()));
  return cut_short ? absl::OkStatus() : SaveStep();
}

// From best.ckpt, or, where that is damaged, from the end of the best epoch, if
// that is still kept.
absl::Status Loop::LoadBest() {
  progress_.Line(absl::StrCat("publishing epoch ", state_.best_epoch(),
                              ", the best on validation"));
  std::vector<std::string> files = checkpoints_.StepFiles();
  files.insert(files.begin(), checkpoints_.best_path());
  for (const std::string& file : files) {
    const auto loaded = model_.LoadCheckpoint(file, options_.fingerprint);
    if (!loaded.ok()) {
      progress_.Line(loaded.status().message());
    } else if (loaded->epoch() == state_.best_epoch() &&
               loaded->step_in_epoch() == 0) {
      return absl::OkStatus();
    }
  }
  return absl::DataLossError(
      absl::StrCat("no whole checkpoint of epoch ", state_.best_epoch(),
                   ", the best on validation, is left (",
                   checkpoints_.best_path(), "): train without --resume"));
}

absl::StatusOr<v1::TrainingState> Loop::Run() {
  RETURN_IF_ERROR(Begin());
  while (!Finished()) {
    RETURN_IF_ERROR(Epoch());
    RETURN_IF_ERROR(EndEpoch());
  }
  if (state_.best_epoch() > 0 && state_.best_epoch() != state_.epoch()) {
    RETURN_IF_ERROR(LoadBest());
  }
  return state_;
}

}  // namespace

absl::StatusOr<v1::TrainingState> Train(TwoTowerModel& model,
                                        TrainingSteps& steps,
                                        const v1::TrainerConfig& config,
                                        const TrainLoopOptions& options,
                                        Progress& progress) {
  return Loop(model, steps, config, options, progress).Run();
}

}  // namespace segue
