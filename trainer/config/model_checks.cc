// Checks of what is trained and how.
#include <cmath>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "trainer/config/checks.h"
#include "trainer/model/candidates.h"
#include "trainer/model/two_tower_model.h"

namespace segue {
namespace {

// Of the vectors, where model.layers is empty (model_config.proto).
constexpr int32_t kDefaultDimension = 128;
// A batch's own targets and as many drawn items are candidates of its step.
constexpr int32_t kLargestBatch = kMostCandidates / 2;

void CheckEncoder(const v1::ModelConfig& model, Checks& checks) {
  const v1::EncoderConfig& encoder = model.encoder();
  checks.AtLeast(encoder.width(), 1, "model.encoder.width");
  checks.AtLeast(encoder.blocks(), 1, "model.encoder.blocks");
  checks.Require(encoder.heads() >= 1 && encoder.width() % encoder.heads() == 0,
                 "model.encoder.heads",
                 absl::StrCat("is ", encoder.heads(),
                              ", must divide model.encoder.width (",
                              encoder.width(), ")"));
  checks.Share(encoder.dropout(), "model.encoder.dropout");
  checks.Require(!encoder.share_item_tower() ||
                     encoder.kind() == v1::EncoderConfig::MEAN ||
                     encoder.width() == Dimension(model),
                 "model.encoder.share_item_tower",
                 absl::StrCat("needs model.encoder.width (", encoder.width(),
                              ") to be the last of model.layers (",
                              Dimension(model), ")"));
}

void CheckModel(const v1::ModelConfig& model, Checks& checks) {
  for (int32_t width : model.layers()) {
    checks.AtLeast(width, 1, "model.layers");
  }
  for (int32_t width : model.item_layers()) {
    checks.AtLeast(width, 1, "model.item_layers");
  }
  checks.Require(
      model.item_layers().empty() ||
          *model.item_layers().rbegin() == Dimension(model),
      "model.item_layers",
      absl::StrCat("must end in ", Dimension(model), ", as model.layers does"));
  checks.Positive(model.temperature(), "model.temperature");
  checks.Require(
      !model.learn_temperature() || (model.temperature() >= kLeastTemperature &&
                                     model.temperature() <= kMostTemperature),
      "model.temperature",
      absl::StrCat("is ", model.temperature(), "; a learnt one must begin in [",
                   kLeastTemperature, ", ", kMostTemperature, "]"));
  checks.Share(model.user_id_dropout(), "model.user_id_dropout");
  checks.Share(model.item_id_dropout(), "model.item_id_dropout");
  checks.Share(model.dropout(), "model.dropout");
  CheckEncoder(model, checks);
  checks.Fraction(model.serving_age_quantile(), "model.serving_age_quantile");
}

void CheckSchedule(const v1::TrainingConfig& training, Checks& checks) {
  checks.AtLeast(training.warmup_steps(), int64_t{0}, "training.warmup_steps");
  checks.Fraction(training.final_rate_share(), "training.final_rate_share");
  checks.Require(
      training.embedding_weight_decay() >= 0 &&
          training.learning_rate() * training.embedding_weight_decay() < 0.01,
      "training.embedding_weight_decay",
      "must not be negative, nor eat 1 % of a weight in one step");
  checks.Require(
      training.gradient_clip() >= 0 && std::isfinite(training.gradient_clip()),
      "training.gradient_clip", "must not be negative");
  checks.Require(training.loss().uniform_negatives() >= 1 &&
                     training.loss().uniform_negatives() <= kLargestBatch,
                 "training.loss.uniform_negatives",
                 absl::StrCat("is ", training.loss().uniform_negatives(),
                              ", must be in [1, ", kLargestBatch, "]"));
}

void CheckTraining(const v1::TrainerConfig& config, Checks& checks) {
  const v1::TrainingConfig& training = config.training();
  CheckSchedule(training, checks);
  checks.Require(
      training.batch_size() >= 2 && training.batch_size() <= kLargestBatch,
      "training.batch_size",
      absl::StrCat("is ", training.batch_size(), ", must be in [2, ",
                   kLargestBatch, "]"));
  checks.AtLeast(training.epochs(), 1, "training.epochs");
  checks.Positive(training.learning_rate(), "training.learning_rate");
  checks.Require(training.weight_decay() >= 0 &&
                     training.learning_rate() * training.weight_decay() < 1,
                 "training.weight_decay",
                 "must not be negative, nor eat a weight in one step");
  checks.Share(training.beta1(), "training.beta1");
  checks.Require(training.beta2() > training.beta1() * training.beta1() &&
                     training.beta2() < 1,
                 "training.beta2", "must be above beta1 squared and below 1");
  // Tables hold it as a float; 0 / 0 is what a gradient of 0 would become.
  checks.Require(static_cast<float>(training.epsilon()) > 0 &&
                     std::isfinite(training.epsilon()),
                 "training.epsilon",
                 absl::StrCat("is ", training.epsilon(),
                              ", must be above 0 as a float and finite"));
  checks.Require(training.logq_alpha() > 0 && training.logq_alpha() <= 1,
                 "training.logq_alpha", "must be in (0, 1]");
  checks.AtLeast(training.logq_slots(), int64_t{0}, "training.logq_slots");
  checks.AtLeast(training.max_steps(), int64_t{0}, "training.max_steps");
  checks.AtLeast(training.keep_checkpoints(), 1, "training.keep_checkpoints");
  checks.Require(training.checkpoint_minutes() >= 0 &&
                     std::isfinite(training.checkpoint_minutes()),
                 "training.checkpoint_minutes", "must not be negative");
  checks.AtLeast(training.early_stopping_epochs(), 0,
                 "training.early_stopping_epochs");
  checks.AtLeast(training.validation_k(), 1, "training.validation_k");
  checks.Require(training.early_stopping_epochs() == 0 ||
                     config.split().kind() == v1::SplitConfig::LEAVE_ONE_OUT ||
                     config.split().validation_days() > 0,
                 "training.early_stopping_epochs",
                 "needs validation queries: split.validation_days is 0");
}

}  // namespace

int32_t Dimension(const v1::ModelConfig& model) {
  return model.layers().empty() ? kDefaultDimension : *model.layers().rbegin();
}

void CheckModelAndTraining(const v1::TrainerConfig& config, Checks& checks) {
  CheckModel(config.model(), checks);
  CheckTraining(config, checks);
}

}  // namespace segue
