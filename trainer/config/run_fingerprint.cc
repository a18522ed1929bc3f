#include "trainer/config/run_fingerprint.h"

#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"
#include "core/schema/vocabulary.h"
#include "google/protobuf/text_format.h"

namespace segue {
namespace {

// Each part is preceded by its length, so that none can pass for another.
class Parts {
 public:
  void Add(absl::string_view bytes) {
    hash_.Update(absl::StrCat(bytes.size(), ":"));
    hash_.Update(bytes);
  }
  template <typename T>
  void Add(const std::vector<T>& values) {
    Add(absl::string_view(reinterpret_cast<const char*>(values.data()),
                          values.size() * sizeof(T)));
  }
  void Add(const std::vector<bool>& values) {
    Add(std::vector<uint8_t>(values.begin(), values.end()));
  }
  void Add(const Vocabulary& ids) { Add(ids.Serialize()); }
  void Add(const std::vector<FeatureTable>& tables) {
    Add(absl::StrCat(tables.size()));
    for (const FeatureTable& table : tables) {
      Add(table.values);
      Add(table.begins);
      Add(table.value_rows);
      Add(table.numbers);
      Add(table.vectors);
    }
  }
  std::string Finish() { return hash_.Finish(); }

 private:
  Sha256 hash_;
};

std::string DecidingConfig(v1::TrainerConfig config) {
  config.clear_run_dir();
  config.clear_bundle_root();
  config.clear_index();
  config.clear_publish();
  if (config.has_items()) config.mutable_items()->clear_attributes();
  v1::TrainingConfig& training = *config.mutable_training();
  const bool stops_early = training.early_stopping_epochs() > 0;
  if (stops_early) {
    v1::EvaluationConfig& evaluation = *config.mutable_evaluation();
    evaluation.clear_bootstrap_samples();
    evaluation.clear_recent_half_life_days();
    evaluation.clear_item_knn_history();
    training.set_early_stopping_epochs(1);
  } else {
    config.clear_evaluation();
    training.clear_validation_k();
  }
  // Schedules that fall reach their end with the last epoch.
  if (training.schedule() == v1::TrainingConfig::CONSTANT) {
    training.clear_epochs();
  }
  training.clear_max_steps();
  training.clear_keep_checkpoints();
  training.clear_checkpoint_minutes();
  training.clear_warm_start_bundle();
  std::string text;
  google::protobuf::TextFormat::PrintToString(config, &text);
  return text;
}

}  // namespace

std::string RunFingerprint(const v1::TrainerConfig& config, const Dataset& data,
                           absl::string_view warm_start_hash) {
  Parts parts;
  parts.Add(DecidingConfig(config));
  parts.Add(warm_start_hash);
  parts.Add(data.users);
  parts.Add(data.items);
  const EventLog& log = data.log;
  parts.Add(log.user_begins);
  parts.Add(log.items);
  parts.Add(log.times);
  parts.Add(log.weights);
  parts.Add(log.targets);
  parts.Add(log.dislikes.user_begins);
  parts.Add(log.dislikes.items);
  parts.Add(log.dislikes.times);
  parts.Add(log.request_features);
  parts.Add(data.item_features);
  parts.Add(data.user_features);
  return parts.Finish();
}

}  // namespace segue
