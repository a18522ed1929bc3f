#include "trainer/config_validation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/config/text_proto.h"
#include "trainer/evaluation/ranked_lists.h"
#include "trainer/model/candidates.h"
#include "trainer/model/two_tower_model.h"

namespace segue {
namespace {

// Of the vectors, where model.layers is empty (config.proto).
constexpr int32_t kDefaultDimension = 128;
// What a 4-bit sub-quantiser has centroids, and needs vectors to train.
constexpr int32_t kFewestTrainingVectors = 16;
// Queries are embedded in batches of this size, however small training's are.
constexpr int64_t kEmbedBatch = 4096;
// A batch's own targets and as many drawn items are candidates of its step.
constexpr int32_t kLargestBatch = kMostCandidates / 2;
// A bundle has at most 256 files, two of them for a feature.
constexpr int32_t kMostItemFeatures = 100;

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
  // [0, 1]
  void Fraction(double value, absl::string_view field) {
    Require(value >= 0 && value <= 1, field,
            absl::StrCat("is ", value, ", must be in [0, 1]"));
  }
  // (0, infinity)
  void Positive(double value, absl::string_view field) {
    Require(value > 0 && std::isfinite(value), field,
            absl::StrCat("is ", value, ", must be above 0 and finite"));
  }
  absl::Status ToStatus() const { return ViolationsToStatus(violations_); }

 private:
  std::vector<std::string> violations_;
};

using EventFilters = google::protobuf::RepeatedPtrField<v1::EventFilter>;

void CheckFilters(const EventFilters& filters, absl::string_view field,
                  Checks& checks) {
  for (int i = 0; i < filters.size(); ++i) {
    const v1::EventFilter& filter = filters[i];
    const std::string name = absl::StrCat(field, "[", i, "]");
    const int set = (filter.one_of_size() > 0) + filter.has_at_least() +
                    filter.has_at_most();
    if (filter.any_of_size() > 0) {
      checks.Require(filter.column().empty() && set == 0, name,
                     "any_of stands alone, with conditions of its own");
      for (const v1::EventFilter& condition : filter.any_of()) {
        checks.Require(condition.any_of().empty(), name,
                       "conditions of any_of have no any_of");
      }
      CheckFilters(filter.any_of(), name + ".any_of", checks);
      continue;
    }
    checks.Require(!filter.column().empty(), name + ".column", "is required");
    checks.Require(set == 1, name,
                   "set exactly one of one_of, at_least and at_most");
    checks.Require(
        !std::isnan(filter.at_least()) && !std::isnan(filter.at_most()), name,
        "nothing is at least or at most nan");
  }
}

void CheckEvents(const v1::EventsConfig& events, Checks& checks) {
  checks.Require(!events.path().empty(), "events.path",
                 "is required: the log of events");
  checks.AtLeast(events.min_events_per_user(), 1, "events.min_events_per_user");
  checks.Positive(events.weight_scale(), "events.weight_scale");
  CheckFilters(events.filters(), "events.filters", checks);
  CheckFilters(events.target_filters(), "events.target_filters", checks);
  CheckFilters(events.negative_filters(), "events.negative_filters", checks);
  checks.Require(events.negatives() == v1::EventsConfig::IGNORE ||
                     !events.negative_filters().empty(),
                 "events.negatives",
                 "MASK and EXPLICIT need events.negative_filters");
}

void CheckVector(const v1::ItemFeature& feature, const std::string& name,
                 Checks& checks) {
  checks.Require(feature.source() != v1::ItemFeature::EVENTS, name + ".source",
                 "a VECTOR comes from ITEMS or MAPPING");
  checks.Require(feature.embedding_width() <= 0, name + ".embedding_width",
                 "is not for a VECTOR, which is taken as it is");
  checks.Require(!feature.separator().empty(), name + ".separator",
                 "must not be empty for a VECTOR");
}

void CheckItems(const v1::ItemsConfig& items, Checks& checks) {
  checks.AtLeast(items.embedding_width(), 0, "items.embedding_width");
  std::set<std::string> names;
  checks.Require(items.features_size() <= kMostItemFeatures, "items.features",
                 absl::StrCat("are ", items.features_size(),
                              ", must be at most ", kMostItemFeatures));
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
    if (feature.kind() == v1::VECTOR) CheckVector(feature, name, checks);
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
    checks.Require(features[i].kind() == v1::CATEGORICAL ||
                       features[i].kind() == v1::NUMERIC,
                   name + ".kind", "must be CATEGORICAL or NUMERIC");
    checks.AtLeast(features[i].embedding_width(), 0, name + ".embedding_width");
  }
}

void CheckUsers(const v1::TrainerConfig& config, Checks& checks) {
  const v1::UsersConfig& users = config.users();
  // A request names both kinds alike.
  std::set<std::string> names;
  CheckQueryFeatures(users.features(), "users.features", names, checks);
  CheckQueryFeatures(config.request_features(), "request_features", names,
                     checks);
  checks.Require(users.features().empty() || !users.path().empty(),
                 "users.features", "need users.path");
  checks.AtLeast(users.embedding_width(), 0, "users.embedding_width");
  checks.AtLeast(users.unknown_buckets(), 1, "users.unknown_buckets");
}

void CheckSplit(const v1::TrainerConfig& config, Checks& checks) {
  const v1::SplitConfig& split = config.split();
  checks.Require(split.kind() == v1::SplitConfig::LEAVE_ONE_OUT ||
                     config.events().time_unit() == v1::EventsConfig::SECONDS,
                 "split.kind",
                 "LAST_DAYS needs events.time_unit SECONDS; with ORDER use "
                 "LEAVE_ONE_OUT");
  checks.Require(split.test_days() > 0, "split.test_days", "must be above 0");
  checks.Require(split.validation_days() >= 0, "split.validation_days",
                 "must not be negative");
  checks.Require(split.gap_minutes() >= 0, "split.gap_minutes",
                 "must not be negative");
  checks.Require(
      split.kind() == v1::SplitConfig::LAST_DAYS || split.gap_minutes() == 0,
      "split.gap_minutes", "is for kind LAST_DAYS only");
}

void CheckWindow(const v1::TrainerConfig& config, Checks& checks) {
  const v1::WindowConfig& window = config.window();
  checks.AtLeast(window.history_length(), 1, "window.history_length");
  checks.AtLeast(window.min_history(), 1, "window.min_history");
  checks.AtLeast(window.max_windows_per_user(), 1,
                 "window.max_windows_per_user");
  // A batch counts the items of its histories, seeds and targets in 32 bits.
  const int64_t batch =
      std::max<int64_t>(config.training().batch_size(), kEmbedBatch);
  checks.Require((window.history_length() + int64_t{2}) * batch <=
                     std::numeric_limits<int32_t>::max(),
                 "window.history_length",
                 absl::StrCat("is ", window.history_length(),
                              ", too many for batches of ", batch));
}

int32_t Dimension(const v1::ModelConfig& model) {
  return model.layers().empty() ? kDefaultDimension : *model.layers().rbegin();
}

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

void CheckQuantiser(const v1::TrainerConfig& config, Checks& checks) {
  const v1::IndexConfig& index = config.index();
  const int32_t dimension = Dimension(config.model());
  checks.Require(
      index.pq_m() <= 0 || dimension % index.pq_m() == 0, "index.pq_m",
      absl::StrCat(index.pq_m(), " sub-quantisers do not divide the ",
                   dimension, " dimensions of the last layer"));
  checks.AtLeast(index.max_training_vectors(), kFewestTrainingVectors,
                 "index.max_training_vectors");
  checks.Require(index.nlist() <= index.max_training_vectors(), "index.nlist",
                 absl::StrCat("is ", index.nlist(),
                              ", more cells than max_training_vectors (",
                              index.max_training_vectors(), ")"));
}

// What the index would only refuse once the model is trained.
void CheckIndex(const v1::TrainerConfig& config, Checks& checks) {
  const v1::IndexConfig& index = config.index();
  const bool factory = index.kind() == v1::IndexConfig::FACTORY;
  checks.Require(!factory || !index.factory().empty(), "index.factory",
                 "is required for kind FACTORY");
  checks.Require(factory || index.factory().empty(), "index.factory",
                 "is for kind FACTORY only");
  checks.AtLeast(index.flat_limit(), 0, "index.flat_limit");
  checks.AtLeast(index.nlist(), 0, "index.nlist");
  checks.AtLeast(index.pq_m(), 0, "index.pq_m");
  checks.AtLeast(index.nprobe(), 0, "index.nprobe");
  checks.AtLeast(index.k_factor(), 0, "index.k_factor");
  checks.AtLeast(index.tune_k(), 1, "index.tune_k");
  checks.AtLeast(index.tune_queries(), 1, "index.tune_queries");
  checks.Fraction(index.target_overlap(), "index.target_overlap");
  if (index.kind() == v1::IndexConfig::AUTO ||
      index.kind() == v1::IndexConfig::HNSW_IVF_PQ) {
    CheckQuantiser(config, checks);
  } else {
    checks.AtLeast(index.max_training_vectors(), 1,
                   "index.max_training_vectors");
  }
}

void CheckEvaluation(const v1::EvaluationConfig& evaluation, Checks& checks) {
  checks.AtLeast(evaluation.max_queries(), 0, "evaluation.max_queries");
  checks.AtLeast(evaluation.bootstrap_samples(), 0,
                 "evaluation.bootstrap_samples");
  checks.Positive(evaluation.recent_half_life_days(),
                  "evaluation.recent_half_life_days");
  checks.AtLeast(evaluation.item_knn_history(), 1,
                 "evaluation.item_knn_history");
}

void CheckPublish(const v1::TrainerConfig& config, Checks& checks) {
  const v1::PublishConfig& publish = config.publish();
  checks.Fraction(publish.min_recall(), "publish.min_recall");
  checks.Fraction(publish.min_overlap(), "publish.min_overlap");
  // At any other depth there are no figures, and the gate would never open.
  checks.Require(std::count(kReportDepths.begin(), kReportDepths.end(),
                            publish.gate_k()) > 0,
                 "publish.gate_k",
                 absl::StrCat("is ", publish.gate_k(), ", must be one of ",
                              absl::StrJoin(kReportDepths, ", ")));
  checks.AtLeast(publish.keep_versions(), 0, "publish.keep_versions");
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
  CheckUsers(config, checks);
  CheckSplit(config, checks);
  CheckWindow(config, checks);
  CheckModel(config.model(), checks);
  CheckTraining(config, checks);
  CheckIndex(config, checks);
  CheckEvaluation(config.evaluation(), checks);
  CheckPublish(config, checks);
  return checks.ToStatus();
}

}  // namespace segue
