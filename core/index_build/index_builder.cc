#include "core/index_build/index_builder.h"

#include <faiss/index_io.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <memory>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/index/faiss_layers.h"
#include "core/index/faiss_support.h"
#include "core/index_build/index_trainer.h"
#include "core/index_build/index_tuner.h"

namespace segue {
namespace {

absl::Status CheckInputs(const IndexBuildInputs& inputs) {
  const v1::IndexConfig& config = inputs.config;
  if (inputs.dimension < 1 || inputs.vectors.empty() ||
      inputs.vectors.size() % inputs.dimension != 0 ||
      inputs.queries.size() % inputs.dimension != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "an index of ", inputs.vectors.size(), " floats, tuned on ",
        inputs.queries.size(), ", in ", inputs.dimension,
        " dimensions: there must be vectors, and rows must be whole"));
  }
  if (config.tune_k() < 1 || config.nlist() < 0 || config.nprobe() < 0 ||
      config.k_factor() < 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "index: tune_k (", config.tune_k(), ") must be positive, nlist (",
        config.nlist(), "), nprobe (", config.nprobe(), ") and k_factor (",
        config.k_factor(), ") not negative"));
  }
  for (size_t i = 0; i < inputs.vectors.size(); ++i) {
    if (!std::isfinite(inputs.vectors[i])) {
      return absl::InvalidArgumentError(
          absl::StrCat("the vector of row ", i / inputs.dimension,
                       " is not finite: ", inputs.vectors[i]));
    }
  }
  return absl::OkStatus();
}

// Bytes of the file.
absl::StatusOr<uint64_t> WriteIndex(const faiss::Index& index,
                                    const std::string& path) {
  uint64_t bytes = 0;
  RETURN_IF_ERROR(GuardFaiss(absl::StatusCode::kInternal,
                             absl::StrCat("cannot write index ", path), [&] {
                               faiss::write_index(&index, path.c_str());
                               bytes = std::filesystem::file_size(path);
                             }));
  return bytes;
}

}  // namespace

absl::StatusOr<BuiltIndex> BuildIndex(const IndexBuildInputs& inputs,
                                      const std::string& path) {
  const auto start = std::chrono::steady_clock::now();
  const auto say = [&](const std::string& line) {
    if (inputs.progress) inputs.progress(line);
  };
  RETURN_IF_ERROR(CheckInputs(inputs));
  TunableIndex tunable;
  tunable.items = inputs.vectors.size() / inputs.dimension;
  ASSIGN_OR_RETURN(const IndexPlan plan,
                   PlanIndex(inputs.config, tunable.items, inputs.dimension));
  say(absl::StrFormat("index: building %s over %d x %d", plan.factory,
                      tunable.items, inputs.dimension));
  BuiltIndex built;
  built.description = plan.factory;
  {
    ASSIGN_OR_RETURN(const std::unique_ptr<faiss::Index> index,
                     TrainIndex(inputs, plan.factory));
    const FaissLayers layers = PeelFaissIndex(index.get());
    tunable.nlist =
        layers.ivf == nullptr ? 0 : static_cast<int32_t>(layers.ivf->nlist);
    tunable.refines = layers.refine != nullptr;
    ASSIGN_OR_RETURN(built.bytes, WriteIndex(*index, path));
  }
  if (plan.factory == "Flat") {
    built.overlap = 1;
  } else {
    ASSIGN_OR_RETURN(const TunedEffort tuned,
                     TuneIndexFile(inputs, tunable, path, built.trials));
    built.effort = tuned.effort;
    built.overlap = tuned.overlap;
  }
  built.build_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  say(absl::StrFormat(
      "index: %s, %d bytes, nprobe %d, k_factor %d, overlap@%d %.4f%s, %.1f s",
      built.description, built.bytes, built.effort.nprobe,
      built.effort.k_factor, inputs.config.tune_k(), built.overlap,
      built.overlap < inputs.config.target_overlap()
          ? absl::StrFormat(" (below the target of %.4f: no setting reaches "
                            "it; refine: FLOAT32 or a larger pq_m would)",
                            inputs.config.target_overlap())
          : "",
      built.build_seconds));
  return built;
}

}  // namespace segue
