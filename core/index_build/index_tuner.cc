#include "core/index_build/index_tuner.h"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <ratio>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/index/exact_search.h"
#include "core/index/faiss_index.h"
#include "core/index/faiss_support.h"
#include "core/metrics/overlap.h"

namespace segue {
namespace {

constexpr int32_t kFirstProbes = 4;
constexpr int32_t kFactors[] = {4, 10, 20, 40};
// A candidate's refinement is a random access and a whole vector's product.
constexpr double kRefineCost = 5;
constexpr double kNearlyBest = 0.002;

std::vector<int32_t> ProbeChoices(const v1::IndexConfig& config,
                                  int32_t nlist) {
  if (nlist == 0) return {0};
  if (config.nprobe() > 0) return {std::min(config.nprobe(), nlist)};
  std::vector<int32_t> choices;
  // Powers of two, and halfway between them.
  for (int32_t n = kFirstProbes; n < nlist; n *= 2) {
    choices.push_back(n);
    if (n + n / 2 < nlist) choices.push_back(n + n / 2);
  }
  choices.push_back(nlist);
  return choices;
}

std::vector<int32_t> FactorChoices(const v1::IndexConfig& config,
                                   bool refines) {
  if (!refines) return {0};
  if (config.k_factor() > 0) return {config.k_factor()};
  return {std::begin(kFactors), std::end(kFactors)};
}

double Cost(const v1::IndexConfig& config, const TunableIndex& index,
            const SearchSettings& settings) {
  const double scanned =
      index.nlist == 0
          ? 0
          : static_cast<double>(settings.nprobe) * index.items / index.nlist;
  return scanned + kRefineCost * settings.k_factor * config.tune_k();
}

// The cheapest of those within kNearlyBest of the best.
TunedSettings NearlyBest(const v1::IndexConfig& config,
                         const TunableIndex& index,
                         const std::vector<TunedSettings>& tried) {
  double best = 0;
  for (const TunedSettings& one : tried) best = std::max(best, one.overlap);
  const TunedSettings* chosen = nullptr;
  for (const TunedSettings& one : tried) {
    if (one.overlap < best - kNearlyBest) continue;
    if (chosen == nullptr || Cost(config, index, one.settings) <
                                 Cost(config, index, chosen->settings)) {
      chosen = &one;
    }
  }
  return *chosen;
}

// Evenly spaced rows of `from`.
std::vector<float> Spread(absl::Span<const float> from, int32_t dimension,
                          int64_t most) {
  const int64_t rows = from.size() / dimension;
  const int64_t count = std::min(rows, most);
  std::vector<float> chosen;
  chosen.reserve(count * dimension);
  for (int64_t i = 0; i < count; ++i) {
    const float* row = from.data() + i * rows / count * dimension;
    chosen.insert(chosen.end(), row, row + dimension);
  }
  return chosen;
}

std::vector<int32_t> Rows(const std::vector<Neighbor>& neighbors) {
  std::vector<int32_t> rows;
  rows.reserve(neighbors.size());
  for (const Neighbor& neighbor : neighbors) rows.push_back(neighbor.row);
  return rows;
}

// Means over the queries: overlap with `exact`, and time of one search.
absl::StatusOr<IndexTrial> TryIndex(
    const VectorIndex& index, const std::vector<float>& queries,
    const std::vector<std::vector<Neighbor>>& exact, int32_t k,
    int32_t threads) {
  const int32_t d = index.dimension();
  const int64_t count = exact.size();
  std::vector<double> overlaps(count);
  std::vector<double> microseconds(count);
  std::vector<absl::Status> failed(count);
  ScopedOmpThreads team(std::max(1, threads));
#pragma omp parallel for schedule(dynamic, 8)
  for (int64_t q = 0; q < count; ++q) {
    const auto start = std::chrono::steady_clock::now();
    auto found = index.Search({queries.data() + q * d, static_cast<size_t>(d)},
                              k, /*excluded=*/{});
    microseconds[q] = std::chrono::duration<double, std::micro>(
                          std::chrono::steady_clock::now() - start)
                          .count();
    if (found.ok()) {
      overlaps[q] = OverlapAtK(Rows(exact[q]), Rows(*found), k);
    } else {
      failed[q] = found.status();
    }
  }
  IndexTrial trial;
  for (int64_t q = 0; q < count; ++q) {
    RETURN_IF_ERROR(failed[q]);
    trial.overlap += overlaps[q];
    trial.microseconds_per_query += microseconds[q];
  }
  trial.overlap /= static_cast<double>(count);
  trial.microseconds_per_query /= static_cast<double>(count);
  return trial;
}

}  // namespace

absl::StatusOr<TunedSettings> TuneSettings(const v1::IndexConfig& config,
                                           const TunableIndex& index,
                                           const MeasureOverlap& measure) {
  const std::vector<int32_t> probes = ProbeChoices(config, index.nlist);
  const std::vector<int32_t> factors = FactorChoices(config, index.refines);
  std::vector<TunedSettings> tried;
  size_t first = 0;
  for (; first < probes.size(); ++first) {
    const SearchSettings settings = {probes[first], factors.back()};
    ASSIGN_OR_RETURN(const double overlap, measure(settings));
    tried.push_back({settings, overlap});
    if (overlap >= config.target_overlap()) break;
  }
  if (first == probes.size()) return NearlyBest(config, index, tried);

  const TunedSettings bound = tried.back();
  std::vector<SearchSettings> cheaper;
  for (size_t i = first; i < probes.size(); ++i) {
    for (int32_t factor : factors) {
      const SearchSettings settings = {probes[i], factor};
      if (Cost(config, index, settings) < Cost(config, index, bound.settings)) {
        cheaper.push_back(settings);
      }
    }
  }
  std::stable_sort(cheaper.begin(), cheaper.end(),
                   [&](const SearchSettings& a, const SearchSettings& b) {
                     return Cost(config, index, a) < Cost(config, index, b);
                   });
  for (const SearchSettings& settings : cheaper) {
    ASSIGN_OR_RETURN(const double overlap, measure(settings));
    if (overlap >= config.target_overlap()) {
      return TunedSettings{settings, overlap};
    }
  }
  return bound;
}

absl::StatusOr<TunedSettings> TuneIndexFile(const IndexBuildInputs& inputs,
                                            const TunableIndex& index,
                                            const std::string& path,
                                            std::vector<IndexTrial>& trials) {
  const v1::IndexConfig& config = inputs.config;
  const int32_t d = inputs.dimension;
  const std::vector<float> queries =
      Spread(inputs.queries.empty() ? inputs.vectors : inputs.queries, d,
             std::max(1, config.tune_queries()));
  ASSIGN_OR_RETURN(const auto exact,
                   ExactTopK(inputs.vectors, queries, d, config.tune_k(),
                             inputs.threads, /*excluded=*/{}));
  return TuneSettings(
      config, index,
      [&](const SearchSettings& settings) -> absl::StatusOr<double> {
        // Read anew: what is measured is what will be served.
        ASSIGN_OR_RETURN(const auto loaded,
                         LoadFaissIndex(path, {.dimension = d,
                                               .size = index.items,
                                               .nprobe = settings.nprobe,
                                               .k_factor = settings.k_factor}));
        ASSIGN_OR_RETURN(
            IndexTrial trial,
            TryIndex(*loaded, queries, exact, config.tune_k(), inputs.threads));
        trial.nprobe = settings.nprobe;
        trial.k_factor = settings.k_factor;
        trials.push_back(trial);
        if (inputs.progress) {
          inputs.progress(absl::StrFormat(
              "index: nprobe %d, k_factor %d: overlap@%d %.4f, %.0f us a query",
              settings.nprobe, settings.k_factor, config.tune_k(),
              trial.overlap, trial.microseconds_per_query));
        }
        return trial.overlap;
      });
}

}  // namespace segue
