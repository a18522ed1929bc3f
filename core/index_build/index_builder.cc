#include "core/index_build/index_builder.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/index_build/filter_trials.h"
#include "core/index_build/index_trainer.h"
#include "core/index_build/index_tuner.h"
#include "core/index_build/overlap_losses.h"
#include "core/index_build/structure_trials.h"

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
  if (config.at_k() < 1 || config.nlist() < 0 || config.nprobe() < 0 ||
      config.k_factor() < 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "index: at_k (", config.at_k(), ") must be positive, nlist (",
        config.nlist(), "), nprobe (", config.nprobe(), ") and k_factor (",
        config.k_factor(), ") not negative"));
  }
  const auto name = [&](int64_t row) {
    return inputs.name ? inputs.name(row) : absl::StrCat("row ", row);
  };
  const size_t d = inputs.dimension;
  for (size_t row = 0; row * d < inputs.vectors.size(); ++row) {
    bool zero = true;
    for (const float value : inputs.vectors.subspan(row * d, d)) {
      if (!std::isfinite(value)) {
        return absl::InvalidArgumentError(absl::StrCat(
            "the vector of ", name(row), " is not finite: ", value));
      }
      zero = zero && value == 0;
    }
    if (zero) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the vector of ", name(row), " is zero: it has no direction"));
    }
  }
  return absl::OkStatus();
}

int64_t Items(const IndexBuildInputs& inputs) {
  return static_cast<int64_t>(inputs.vectors.size()) / inputs.dimension;
}

// The structures to build, best first.
absl::StatusOr<std::vector<StructureTrial>> OrderStructures(
    const IndexBuildInputs& inputs, const std::string& path) {
  ASSIGN_OR_RETURN(const std::vector<IndexPlan> plans,
                   PlanIndexes(inputs.config, Items(inputs), inputs.dimension));
  if (plans.size() > 1) return TryStructures(inputs, path + ".trial");
  return std::vector<StructureTrial>{
      {.plan = plans[0], .items = Items(inputs)}};
}

const IndexTrial& TrialOf(const std::vector<IndexTrial>& trials, int32_t k,
                          const SearchEffort& effort) {
  return *std::find_if(trials.begin(), trials.end(),
                       [&](const IndexTrial& trial) {
                         return trial.k == k && trial.effort == effort;
                       });
}

// Takes what was slower than the limit at k out of the table, so that searches
// do not come to it either. Where all were, they stay, and Missed() says so.
void LeaveOutSlow(double max_latency_us, int32_t k, BuiltIndex& built) {
  std::vector<EffortTable::Front> fronts = built.efforts.fronts();
  for (EffortTable::Front& front : fronts) {
    std::vector<EffortPoint> fast;
    for (const EffortPoint& point : front.points) {
      if (front.k != k ||
          TrialOf(built.trials, k, point.effort).microseconds_per_query <=
              max_latency_us) {
        fast.push_back(point);
      }
    }
    if (!fast.empty()) front.points = std::move(fast);
  }
  built.efforts = EffortTable::FrontsOf(fronts);
}

// Measures all efforts, and takes the least one for the target, or what comes
// closest to it within the limit of latency.
absl::Status Tune(const IndexBuildInputs& inputs, const VectorIndex& index,
                  BuiltIndex& built) {
  const v1::IndexConfig& config = inputs.config;
  ASSIGN_OR_RETURN(
      built.efforts,
      TuneIndex(inputs, index, TunedKs(config, index.size()), built.trials));
  const int32_t k =
      static_cast<int32_t>(std::min<int64_t>(config.at_k(), index.size()));
  if (config.max_latency_us() > 0) {
    LeaveOutSlow(config.max_latency_us(), k, built);
  }
  const EffortPoint point = built.efforts.Reach(k, config.target_overlap());
  built.effort = point.effort;
  built.overlap = point.overlap;
  built.microseconds_per_query =
      TrialOf(built.trials, k, point.effort).microseconds_per_query;
  return absl::OkStatus();
}

absl::StatusOr<BuiltIndex> BuildStructure(const IndexBuildInputs& inputs,
                                          const IndexPlan& plan,
                                          const std::string& path) {
  const auto start = std::chrono::steady_clock::now();
  BuiltIndex built{.description = plan.factory};
  ASSIGN_OR_RETURN(const std::unique_ptr<VectorIndex> index,
                   MakeIndexFile(inputs, plan.factory, path));
  built.bytes = std::filesystem::file_size(path);
  built.construct_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  if (plan.factory != "Flat") {
    RETURN_IF_ERROR(Tune(inputs, *index, built));
    ASSIGN_OR_RETURN(built.losses, MeasureLosses(inputs, built.effort, *index));
    ASSIGN_OR_RETURN(built.filters, TryFilters(inputs, built.effort, *index));
  } else if (inputs.config.max_latency_us() > 0) {
    RETURN_IF_ERROR(Tune(inputs, *index, built));
    built.efforts = {};  // it finds everything
    built.trials.clear();
  }
  return built;
}

// Which limit it does not keep, in words; empty if it keeps them.
std::string OverLimits(const IndexBuildInputs& inputs,
                       const BuiltIndex& built) {
  const v1::IndexConfig& config = inputs.config;
  const double bytes =
      static_cast<double>(built.bytes) / static_cast<double>(Items(inputs));
  if (config.max_bytes_per_item() > 0 && bytes > config.max_bytes_per_item()) {
    return absl::StrFormat(
        "takes %.0f bytes an item, index.max_bytes_per_item "
        "is %.0f",
        bytes, config.max_bytes_per_item());
  }
  if (config.max_latency_us() > 0 &&
      built.microseconds_per_query > config.max_latency_us()) {
    return absl::StrFormat(
        "takes %.0f us a query, index.max_latency_us is %.0f",
        built.microseconds_per_query, config.max_latency_us());
  }
  return "";
}

// What it misses, in words; empty if nothing.
std::string Missed(const IndexBuildInputs& inputs, const BuiltIndex& built) {
  const v1::IndexConfig& config = inputs.config;
  std::string over = OverLimits(inputs, built);
  if (!over.empty()) return over;
  if (built.overlap < config.target_overlap()) {
    return absl::StrFormat(
        "finds %.4f of the exact top %d, "
        "index.target_overlap is %.4f",
        built.overlap, config.at_k(), config.target_overlap());
  }
  return "";
}

bool IsFixed(const v1::IndexConfig& config) {
  return config.nprobe() > 0 || config.k_factor() > 0;
}

std::string Summary(const IndexBuildInputs& inputs, const BuiltIndex& built) {
  return absl::StrFormat(
      "%s, %.0f bytes an item, nprobe %d, k_factor %d: overlap@%d %.4f, %.0f "
      "us a query",
      built.description,
      static_cast<double>(built.bytes) / static_cast<double>(Items(inputs)),
      built.effort.nprobe, built.effort.k_factor, inputs.config.at_k(),
      built.overlap, built.microseconds_per_query);
}

absl::Status Move(const std::string& from, const std::string& to) {
  std::error_code error;
  std::filesystem::rename(from, to, error);
  if (!error) return absl::OkStatus();
  return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot move ", from));
}

}  // namespace

absl::StatusOr<BuiltIndex> BuildIndex(const IndexBuildInputs& inputs,
                                      const std::string& path) {
  const auto start = std::chrono::steady_clock::now();
  const auto say = [&](const std::string& line) {
    if (inputs.progress) inputs.progress(line);
  };
  RETURN_IF_ERROR(CheckInputs(inputs));
  ASSIGN_OR_RETURN(const std::vector<StructureTrial> structures,
                   OrderStructures(inputs, path));
  std::optional<BuiltIndex> best;
  std::string missed;
  for (const StructureTrial& structure : structures) {
    say(absl::StrFormat("index: building %s over %d x %d",
                        structure.plan.factory, Items(inputs),
                        inputs.dimension));
    const std::string attempt = path + ".attempt";
    ASSIGN_OR_RETURN(BuiltIndex built,
                     BuildStructure(inputs, structure.plan, attempt));
    const std::string why = Missed(inputs, built);
    if (!why.empty()) {
      say(absl::StrCat("index: ", built.description, " ", why));
    }
    const auto closeness = [&](const BuiltIndex& index) {
      return std::pair(OverLimits(inputs, index).empty(), index.overlap);
    };
    if (why.empty() || !best.has_value() ||
        closeness(built) > closeness(*best)) {
      RETURN_IF_ERROR(Move(attempt, path));
      best = std::move(built);
      missed = why;
    } else {
      std::error_code ignored;
      std::filesystem::remove(attempt, ignored);
    }
    if (why.empty() || IsFixed(inputs.config)) break;
  }
  best->structures = structures;
  best->build_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  const bool over = !OverLimits(inputs, *best).empty();
  if (over || (!missed.empty() && !IsFixed(inputs.config) &&
               inputs.config.if_missed() == v1::IndexConfig::REFUSE)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "no index does what is asked of it; the closest: ",
        Summary(inputs, *best), ". It ", missed,
        ". Ask for less, or allow more bytes or time",
        over ? "" : ", or take the closest with index.if_missed=KEEP_BEST"));
  }
  say(absl::StrFormat("index: %s%s; %.1f s", Summary(inputs, *best),
                      missed.empty() ? "" : "; WARNING: it " + missed,
                      best->build_seconds));
  return *std::move(best);
}

}  // namespace segue
