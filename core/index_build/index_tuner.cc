#include "core/index_build/index_tuner.h"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <ratio>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/index/exact_search.h"
#include "core/index/faiss_layers.h"
#include "core/index/faiss_support.h"
#include "core/index_build/spread_rows.h"
#include "core/metrics/overlap.h"

namespace segue {
namespace {

constexpr int32_t kFirstProbes = 4;
constexpr int32_t kFactors[] = {2, 4, 8, 16, 32, 64};
constexpr int32_t kShallow = 10;
constexpr int32_t kDeep = 1000;
// Less than this more found is nothing found.
constexpr double kGain = 0.0005;
constexpr double kEverything = 0.9995;
constexpr double kMostExact = 0.01;

std::vector<int32_t> ProbeChoices(const v1::IndexConfig& config,
                                  int32_t nlist) {
  if (nlist == 0) return {0};
  if (config.nprobe() > 0) return {std::min(config.nprobe(), nlist)};
  std::vector<int32_t> choices;
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
  std::vector<char> exactly(count);
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
      overlaps[q] = OverlapAtK(RowsOf(exact[q]), RowsOf(found->neighbors), k);
      exactly[q] = found->by == FoundBy::kExact;
    } else {
      failed[q] = found.status();
    }
  }
  IndexTrial trial{.k = k, .effort = effort};
  for (int64_t q = 0; q < count; ++q) {
    RETURN_IF_ERROR(failed[q]);
    trial.overlap += overlaps[q];
    trial.exact += exactly[q];
    trial.microseconds_per_query += microseconds[q];
  }
  trial.overlap /= static_cast<double>(count);
  trial.exact /= static_cast<double>(count);
  trial.microseconds_per_query /= static_cast<double>(count);
  return trial;
}

}  // namespace

absl::StatusOr<EffortTable::Front> MeasureFront(const v1::IndexConfig& config,
                                                const IndexShape& shape,
                                                int32_t k,
                                                const MeasureOverlap& measure) {
  const std::vector<int32_t> factors = FactorChoices(config, shape.refines);
  EffortTable::Front front{.k = k};
  EffortPoint hardest;  // of those that do not count
  double best = 0;
  for (const int32_t nprobe : ProbeChoices(config, shape.nlist)) {
    double most = 0;  // with so many cells
    for (const int32_t factor : factors) {
      const SearchEffort effort = {nprobe, factor};
      ASSIGN_OR_RETURN(const MeasuredOverlap measured, measure(k, effort));
      const EffortPoint point{.effort = effort,
                              .overlap = measured.overlap,
                              .cost = SearchCost(shape, k, effort)};
      // So few cells that they hold no k candidates.
      if (measured.exact > kMostExact) {
        hardest = point;
        break;
      }
      front.points.push_back(point);
      const double gain = measured.overlap - most;
      most = std::max(most, measured.overlap);
      if (gain < kGain) break;
    }
    if (front.points.empty()) continue;
    const double gain = most - best;
    best = std::max(best, most);
    if (gain < kGain || best >= kEverything) break;
  }
  if (front.points.empty()) front.points.push_back(hardest);
  return front;
}

std::vector<int32_t> TunedKs(const v1::IndexConfig& config, int64_t items) {
  std::set<int32_t> ks;
  for (const int32_t k : {kShallow, config.at_k(), kDeep}) {
    ks.insert(static_cast<int32_t>(std::min<int64_t>(k, items)));
  }
  return {ks.begin(), ks.end()};
}

std::vector<float> QueriesOf(const IndexBuildInputs& inputs, int32_t most) {
  return SpreadRows(inputs.queries.empty() ? inputs.vectors : inputs.queries,
                    inputs.dimension, std::max(1, most));
}

absl::StatusOr<EffortTable> TuneIndex(const IndexBuildInputs& inputs,
                                      const VectorIndex& index,
                                      const std::vector<int32_t>& ks,
                                      std::vector<IndexTrial>& trials) {
  const v1::IndexConfig& config = inputs.config;
  const IndexShape shape = ShapeOf(LayersOf(index));
  const std::vector<float> queries = QueriesOf(inputs, config.tune_queries());
  ASSIGN_OR_RETURN(const auto exact,
                   ExactTopK(inputs.vectors, queries, inputs.dimension,
                             ks.back(), inputs.threads, /*excluded=*/{}));
  std::vector<EffortTable::Front> fronts;
  for (const int32_t k : ks) {
    ASSIGN_OR_RETURN(
        fronts.emplace_back(),
        MeasureFront(config, shape, k,
                     [&](int32_t depth, const SearchEffort& effort)
                         -> absl::StatusOr<MeasuredOverlap> {
                       ASSIGN_OR_RETURN(const IndexTrial trial,
                                        TryIndex(index, effort, queries, exact,
                                                 depth, inputs.threads));
                       trials.push_back(trial);
                       return MeasuredOverlap{trial.overlap, trial.exact};
                     }));
    if (inputs.progress) {
      inputs.progress(
          absl::StrFormat("index: overlap@%d measured at %d efforts", k,
                          static_cast<int>(fronts.back().points.size())));
    }
  }
  return EffortTable::FrontsOf(fronts);
}

}  // namespace segue
