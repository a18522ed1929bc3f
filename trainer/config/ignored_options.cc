#include "trainer/config/ignored_options.h"

#include "absl/strings/str_cat.h"

namespace segue {
namespace {

// Gathers the fields that are set and not used.
class Ignored {
 public:
  void Add(bool set, absl::string_view field, absl::string_view why) {
    if (set) lines_.push_back(absl::StrCat("no effect: ", field, " ", why));
  }
  std::vector<std::string> Take() { return std::move(lines_); }

 private:
  std::vector<std::string> lines_;
};

void OfEncoder(const v1::TrainerConfig& config, Ignored& ignored) {
  const v1::EncoderConfig& encoder = config.model().encoder();
  ignored.Add(
      encoder.has_time_bias() && encoder.kind() != v1::EncoderConfig::HSTU,
      "model.encoder.time_bias", "(model.encoder.kind is not HSTU)");
  if (encoder.kind() != v1::EncoderConfig::MEAN) {
    ignored.Add(config.window().has_max_windows_per_user(),
                "window.max_windows_per_user",
                "(a sequence encoder learns from every event)");
    return;
  }
  constexpr absl::string_view kWhy = "(model.encoder.kind is MEAN)";
  ignored.Add(encoder.has_width(), "model.encoder.width", kWhy);
  ignored.Add(encoder.has_blocks(), "model.encoder.blocks", kWhy);
  ignored.Add(encoder.has_heads(), "model.encoder.heads", kWhy);
  ignored.Add(encoder.has_dropout(), "model.encoder.dropout", kWhy);
  ignored.Add(encoder.has_share_item_tower(), "model.encoder.share_item_tower",
              kWhy);
}

void OfLoss(const v1::TrainingConfig& training, Ignored& ignored) {
  using Loss = v1::LossConfig;
  const Loss::Negatives negatives = training.loss().negatives();
  const std::string why = absl::StrCat("(training.loss.negatives is ",
                                       Loss::Negatives_Name(negatives), ")");
  if (negatives == Loss::UNIFORM || negatives == Loss::FULL) {
    ignored.Add(training.has_logq_correction(), "training.logq_correction",
                why);
    ignored.Add(training.has_logq_alpha(), "training.logq_alpha", why);
    ignored.Add(training.has_logq_slots(), "training.logq_slots", why);
  }
  if (negatives == Loss::IN_BATCH || negatives == Loss::FULL) {
    ignored.Add(training.loss().has_uniform_negatives(),
                "training.loss.uniform_negatives", why);
  }
}

}  // namespace

std::vector<std::string> IgnoredOptions(const v1::TrainerConfig& config) {
  Ignored ignored;
  OfEncoder(config, ignored);
  OfLoss(config.training(), ignored);
  const v1::TrainingConfig& training = config.training();
  ignored.Add(training.has_final_rate_share() &&
                  training.schedule() == v1::TrainingConfig::CONSTANT,
              "training.final_rate_share", "(training.schedule is CONSTANT)");
  ignored.Add(
      training.has_validation_k() && training.early_stopping_epochs() == 0,
      "training.validation_k", "(training.early_stopping_epochs is 0)");
  ignored.Add(config.model().example_age() &&
                  config.model().has_example_age() &&
                  config.events().time_unit() == v1::EventsConfig::ORDER,
              "model.example_age", "(events.time_unit is ORDER)");
  return ignored.Take();
}

}  // namespace segue
