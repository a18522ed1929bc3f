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
            const SearchEffort& effort) {
  const double scanned = index.nlist == 0 ? 0
                                          : static_cast<double>(effort.nprobe) *
                                                index.items / index.nlist;
  return scanned + kRefineCost * effort.k_factor * config.tune_k();
}

// The cheapest of those within kNearlyBest of the best.
TunedEffort NearlyBest(const v1::IndexConfig& config, const TunableIndex& index,
                       const std::vector<TunedEffort>& tried) {
  double best = 0;
  for (const TunedEffort& one : tried) best = std::max(best, one.overlap);
  const TunedEffort* chosen = nullptr;
  for (const TunedEffort& one : tried) {
    if (one.overlap < best - kNearlyBest) continue;
    if (chosen == nullptr ||
        Cost(config, index, one.effort) < Cost(config, index, chosen->effort)) {
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
    const VectorIndex& index, const SearchEffort& effort,
    const std::vector<float>& queries,
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
                              {.k = k, .effort = effort});
    microseconds[q] = std::chrono::duration<double, std::micro>(
                          std::chrono::steady_clock::now() - start)
                          .count();
    if (found.ok()) {
      overlaps[q] = OverlapAtK(Rows(exact[q]), Rows(found->neighbors), k);
    } else {
      failed[q] = found.status();
    }
  }
  IndexTrial trial{.effort = effort};
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

absl::StatusOr<TunedEffort> TuneEffort(const v1::IndexConfig& config,
                                       const TunableIndex& index,
                                       const MeasureOverlap& measure) {
  const std::vector<int32_t> probes = ProbeChoices(config, index.nlist);
  const std::vector<int32_t> factors = FactorChoices(config, index.refines);
  std::vector<TunedEffort> tried;
  size_t first = 0;
  for (; first < probes.size(); ++first) {
    const SearchEffort effort = {probes[first], factors.back()};
    ASSIGN_OR_RETURN(const double overlap, measure(effort));
    tried.push_back({effort, overlap});
    if (overlap >= config.target_overlap()) break;
  }
  if (first == probes.size()) return NearlyBest(config, index, tried);

  const TunedEffort bound = tried.back();
  std::vector<SearchEffort> cheaper;
  for (size_t i = first; i < probes.size(); ++i) {
    for (int32_t factor : factors) {
      const SearchEffort effort = {probes[i], factor};
      if (Cost(config, index, effort) < Cost(config, index, bound.effort)) {
        cheaper.push_back(effort);
      }
    }
  }
  std::stable_sort(cheaper.begin(), cheaper.end(),
                   [&](const SearchEffort& a, const SearchEffort& b) {
                     return Cost(config, index, a) < Cost(config, index, b);
                   });
  for (const SearchEffort& effort : cheaper) {
    ASSIGN_OR_RETURN(const double overlap, measure(effort));
    if (overlap >= config.target_overlap()) {
      return TunedEffort{effort, overlap};
    }
  }
  return bound;
}

absl::StatusOr<TunedEffort> TuneIndexFile(const IndexBuildInputs& inputs,
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
  // Read from the file: what is measured is what will be served.
  ASSIGN_OR_RETURN(const auto loaded, LoadFaissIndex(path, {.dimension = d,
                                                            .size = index.items,
                                                            .effort = {1, 1}}));
  return TuneEffort(
      config, index, [&](const SearchEffort& effort) -> absl::StatusOr<double> {
        ASSIGN_OR_RETURN(const IndexTrial trial,
                         TryIndex(*loaded, effort, queries, exact,
                                  config.tune_k(), inputs.threads));
        trials.push_back(trial);
        if (inputs.progress) {
          inputs.progress(absl::StrFormat(
              "index: nprobe %d, k_factor %d: overlap@%d %.4f, %.0f us a query",
              effort.nprobe, effort.k_factor, config.tune_k(), trial.overlap,
              trial.microseconds_per_query));
        }
        return trial.overlap;
      });
}

}  // namespace segue
