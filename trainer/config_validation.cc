#include "trainer/config_validation.h"

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/config/text_proto.h"

namespace segue {
namespace {

// Gathers violations; each check names the field's path.
class Checks {
 public:
  void Require(bool holds, absl::string_view field, absl::string_view what) {
    if (!holds) violations_.push_back(absl::StrCat(field, ": ", what));
  }
  template <typename T>
  void AtLeast(T value, T least, absl::string_view field) {
    Require(value >= least, field,
            absl::StrCat("is ", value, ", must be at least ", least));
  }
  // [0, 1)
  void Share(double value, absl::string_view field) {
    Require(value >= 0 && value < 1, field,
            absl::StrCat("is ", value, ", must be in [0, 1)"));
  }
  absl::Status ToStatus() const { return ViolationsToStatus(violations_); }

 private:
  std::vector<std::string> violations_;
};

void CheckEvents(const v1::EventsConfig& events, Checks& checks) {
  checks.Require(!events.path().empty(), "events.path",
                 "is required: the log of events");
  checks.AtLeast(events.min_events_per_user(), 1, "events.min_events_per_user");
  for (int i = 0; i < events.filters_size(); ++i) {
    const v1::EventFilter& filter = events.filters(i);
    const std::string name = absl::StrCat("events.filters[", i, "]");
    checks.Require(!filter.column().empty(), name + ".column", "is required");
    const int set = (filter.one_of_size() > 0) + filter.has_at_least() +
                    filter.has_at_most();
    checks.Require(set == 1, name,
                   "set exactly one of one_of, at_least and at_most");
  }
}

void CheckItems(const v1::ItemsConfig& items, Checks& checks) {
  std::set<std::string> names;
  for (int i = 0; i < items.features_size(); ++i) {
    const v1::ItemFeature& feature = items.features(i);
    const std::string name = absl::StrCat("items.features[", i, "]");
    checks.Require(!feature.name().empty(), name + ".name", "is required");
    checks.Require(names.insert(feature.name()).second, name + ".name",
                   absl::StrCat("\"", feature.name(), "\" is there twice"));
    checks.AtLeast(feature.embedding_width(), 0, name + ".embedding_width");
    const bool mapping = feature.source() == v1::ItemFeature::MAPPING;
    checks.Require(!mapping || !feature.mapping_path().empty(),
                   name + ".mapping_path", "is required for source MAPPING");
    checks.Require(mapping || !feature.has_mapping_path(),
                   name + ".mapping_path", "is for source MAPPING only");
    checks.Require(!mapping || feature.kind() != v1::NUMERIC, name + ".kind",
                   "a mapping holds categories, not numbers");
    checks.Require(
        feature.source() != v1::ItemFeature::ITEMS || !items.path().empty(),
        name + ".source", "ITEMS needs items.path");
  }
  checks.Require(items.display_columns().empty() || !items.path().empty(),
                 "items.display_columns", "need items.path");
  checks.Require(
      items.catalogue() != v1::ItemsConfig::ALL || !items.path().empty(),
      "items.catalogue", "ALL needs items.path");
  checks.AtLeast(items.unknown_buckets(), 1, "items.unknown_buckets");
}

void CheckQueryFeatures(
    const google::protobuf::RepeatedPtrField<v1::QueryFeature>& features,
    absl::string_view field, std::set<std::string>& names, Checks& checks) {
  for (int i = 0; i < features.size(); ++i) {
    const std::string name = absl::StrCat(field, "[", i, "]");
    checks.Require(!features[i].name().empty(), name + ".name", "is required");
    checks.Require(names.insert(features[i].name()).second, name + ".name",
                   absl::StrCat("\"", features[i].name(), "\" is there twice"));
    checks.Require(features[i].kind() != v1::MULTI_CATEGORICAL, name + ".kind",
                   "must be CATEGORICAL or NUMERIC");
  }
}

void CheckModel(const v1::TrainerConfig& config, Checks& checks) {
  const v1::ModelConfig& model = config.model();
  for (int32_t width : model.layers()) {
    checks.AtLeast(width, 1, "model.layers");
  }
  checks.Require(model.temperature() > 0, "model.temperature",
                 absl::StrCat("is ", model.temperature(), ", must be above 0"));
  checks.Share(model.user_id_dropout(), "model.user_id_dropout");
  checks.Share(model.item_id_dropout(), "model.item_id_dropout");
  checks.Share(model.dropout(), "model.dropout");
  checks.Require(
      model.serving_age_quantile() >= 0 && model.serving_age_quantile() <= 1,
      "model.serving_age_quantile", "must be in [0, 1]");
  checks.AtLeast(config.window().history_length(), 1, "window.history_length");
  checks.AtLeast(config.window().min_history(), 1, "window.min_history");
  checks.AtLeast(config.window().max_windows_per_user(), 1,
                 "window.max_windows_per_user");
}

void CheckTraining(const v1::TrainerConfig& config, Checks& checks) {
  const v1::TrainingConfig& training = config.training();
  checks.AtLeast(training.batch_size(), 2, "training.batch_size");
  checks.AtLeast(training.epochs(), 1, "training.epochs");
  checks.Require(training.learning_rate() > 0, "training.learning_rate",
                 "must be above 0");
  checks.Require(training.weight_decay() >= 0 &&
                     training.learning_rate() * training.weight_decay() < 1,
                 "training.weight_decay",
                 "must not be negative, nor eat a weight in one step");
  checks.Share(training.beta1(), "training.beta1");
  checks.Require(training.beta2() > training.beta1() * training.beta1() &&
                     training.beta2() < 1,
                 "training.beta2", "must be above beta1 squared and below 1");
  checks.Require(training.logq_alpha() > 0 && training.logq_alpha() <= 1,
                 "training.logq_alpha", "must be in (0, 1]");
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

absl::Status ValidateTrainerConfig(const v1::TrainerConfig& config) {
  Checks checks;
  checks.Require(!config.run_dir().empty(), "run_dir", "must not be empty");
  checks.Require(!config.bundle_root().empty(), "bundle_root",
                 "must not be empty");
  checks.AtLeast(config.threads(), 0, "threads");
  CheckEvents(config.events(), checks);
  CheckItems(config.items(), checks);
  std::set<std::string> names;
  CheckQueryFeatures(config.users().features(), "users.features", names,
                     checks);
  CheckQueryFeatures(config.request_features(), "request_features", names,
                     checks);
  checks.Require(
      config.users().features().empty() || !config.users().path().empty(),
      "users.features", "need users.path");
  checks.Require(config.split().kind() == v1::SplitConfig::LEAVE_ONE_OUT ||
                     config.events().time_unit() == v1::EventsConfig::SECONDS,
                 "split.kind",
                 "LAST_DAYS needs events.time_unit SECONDS; with ORDER use "
                 "LEAVE_ONE_OUT");
  checks.Require(config.split().test_days() > 0, "split.test_days",
                 "must be above 0");
  checks.Require(config.split().validation_days() >= 0, "split.validation_days",
                 "must not be negative");
  CheckModel(config, checks);
  CheckTraining(config, checks);
  checks.Require(config.index().kind() != v1::IndexConfig::FACTORY ||
                     !config.index().factory().empty(),
                 "index.factory", "is required for kind FACTORY");
  checks.Require(config.index().kind() == v1::IndexConfig::FACTORY ||
                     config.index().factory().empty(),
                 "index.factory", "is for kind FACTORY only");
  checks.AtLeast(config.publish().gate_k(), 1, "publish.gate_k");
  return checks.ToStatus();
}

}  // namespace segue
