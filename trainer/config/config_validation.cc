#include "trainer/config/config_validation.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "trainer/config/checks.h"
#include "trainer/evaluation/ranked_lists.h"

namespace segue {
namespace {

// What a 4-bit sub-quantiser has centroids, and needs vectors to train.
constexpr int32_t kFewestTrainingVectors = 16;

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
  checks.AtLeast(index.at_k(), 1, "index.at_k");
  checks.AtLeast(index.tune_queries(), 1, "index.tune_queries");
  checks.Fraction(index.target_overlap(), "index.target_overlap");
  checks.AtLeast(index.max_bytes_per_item(), 0.0, "index.max_bytes_per_item");
  checks.AtLeast(index.max_latency_us(), 0.0, "index.max_latency_us");
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
  checks.Require(
      !publish.has_signing_key_file() || !publish.signing_key_file().empty(),
      "publish.signing_key_file", "is empty; leave it out to sign nothing");
}

}  // namespace

absl::Status ValidateTrainerConfig(const v1::TrainerConfig& config) {
  Checks checks;
  checks.Require(!config.run_dir().empty(), "run_dir", "must not be empty");
  checks.Require(!config.bundle_root().empty(), "bundle_root",
                 "must not be empty");
  checks.AtLeast(config.threads(), 0, "threads");
  CheckData(config, checks);
  CheckModelAndTraining(config, checks);
  CheckIndex(config, checks);
  CheckEvaluation(config.evaluation(), checks);
  CheckPublish(config, checks);
  return checks.ToStatus();
}

}  // namespace segue
