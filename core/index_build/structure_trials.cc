#include "core/index_build/structure_trials.h"

#include <faiss/IndexHNSW.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/index/faiss_layers.h"
#include "core/index_build/index_trainer.h"
#include "core/index_build/index_tuner.h"
#include "core/index_build/spread_rows.h"

namespace segue {
namespace {

constexpr int32_t kSampleQueries = 200;
// An id in a cell.
constexpr double kIdBytes = 8;
// A centroid's links in the graph, in its lowest layer: twice 32 of 4 bytes.
constexpr double kLinkBytes = 256;

// Of an index of so many items and cells, whose codes are those of `layers`.
double BytesPerItem(const FaissLayers& layers, int64_t items, int32_t nlist) {
  double bytes = kIdBytes + static_cast<double>(layers.ivf->code_size);
  if (layers.refine != nullptr) {
    bytes += static_cast<double>(layers.refine->refine_index->sa_code_size());
  }
  const double cell = 4.0 * layers.ivf->d + kLinkBytes;
  return bytes + cell * nlist / static_cast<double>(items);
}

// A tenth less memory is worth a tenth more time.
double Price(const StructureTrial& trial) {
  return trial.cost * trial.bytes_per_item;
}

absl::Status TryOn(const IndexBuildInputs& sample, const std::string& factory,
                   const std::string& path, StructureTrial& trial) {
  const int32_t k = sample.config.at_k();
  ASSIGN_OR_RETURN(const std::unique_ptr<VectorIndex> index,
                   MakeIndexFile(sample, factory, path));
  trial.bytes_per_item =
      BytesPerItem(LayersOf(*index), trial.items, trial.plan.nlist);
  std::vector<IndexTrial> ignored;
  ASSIGN_OR_RETURN(const EffortTable table,
                   TuneIndex(sample, *index, {k}, ignored));
  const EffortPoint point = table.Reach(k, sample.config.target_overlap());
  trial.overlap = point.overlap;
  trial.cost = point.cost;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<StructureTrial>> TryStructures(
    const IndexBuildInputs& inputs, const std::string& path,
    int64_t trial_items) {
  const int32_t d = inputs.dimension;
  const int64_t items = static_cast<int64_t>(inputs.vectors.size()) / d;
  ASSIGN_OR_RETURN(const std::vector<IndexPlan> plans,
                   PlanIndexes(inputs.config, items, d));
  const std::vector<float> vectors = SpreadRows(inputs.vectors, d, trial_items);
  IndexBuildInputs sample = inputs;
  sample.vectors = vectors;
  sample.progress = nullptr;
  // So few would be flat.
  sample.config.set_kind(v1::IndexConfig::HNSW_IVF_PQ);
  sample.config.set_tune_queries(
      std::min(inputs.config.tune_queries(), kSampleQueries));
  const int64_t sampled = static_cast<int64_t>(vectors.size()) / d;
  if (sampled < items) sample.config.clear_nlist();
  ASSIGN_OR_RETURN(const std::vector<IndexPlan> small,
                   PlanIndexes(sample.config, sampled, d));

  const double most = inputs.config.max_bytes_per_item();
  const double target = inputs.config.target_overlap();
  std::vector<StructureTrial> trials;
  double least = 0;
  for (size_t i = 0; i < plans.size(); ++i) {
    StructureTrial trial{.plan = plans[i], .items = items};
    RETURN_IF_ERROR(TryOn(sample, small[i].factory, path, trial));
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
    const bool fits = most == 0 || trial.bytes_per_item <= most;
    if (inputs.progress) {
      inputs.progress(absl::StrFormat(
          "index: %s over %d items: overlap@%d %.4f at cost %.0f; %.0f bytes "
          "an item%s",
          small[i].factory, sampled, inputs.config.at_k(), trial.overlap,
          trial.cost, trial.bytes_per_item, fits ? "" : ", too many"));
    }
    least =
        i == 0 ? trial.bytes_per_item : std::min(least, trial.bytes_per_item);
    if (fits) trials.push_back(std::move(trial));
  }
  if (trials.empty()) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "index.max_bytes_per_item is %.0f; the smallest index takes %.0f", most,
        least));
  }
  std::stable_sort(trials.begin(), trials.end(),
                   [&](const StructureTrial& a, const StructureTrial& b) {
                     const bool a_reaches = a.overlap >= target;
                     if (a_reaches != (b.overlap >= target)) return a_reaches;
                     return a_reaches ? Price(a) < Price(b)
                                      : a.overlap > b.overlap;
                   });
  return trials;
}

}  // namespace segue
