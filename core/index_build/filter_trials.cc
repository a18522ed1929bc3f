#include "core/index_build/filter_trials.h"

#include <algorithm>
#include <chrono>

#include "core/base/status_macros.h"
#include "core/index/exact_search.h"
#include "core/index_build/index_tuner.h"
#include "core/index_build/spread_rows.h"
#include "core/metrics/overlap.h"
#include "core/rows/row_set.h"

namespace segue {
namespace {

constexpr double kShares[] = {0.5, 0.1, 0.01, 0.001, 0.0001};
// One thread asks, so that the times are those of a search.
constexpr int32_t kMostQueries = 200;

}  // namespace

absl::StatusOr<std::vector<FilterTrial>> TryFilters(
    const IndexBuildInputs& inputs, const SearchEffort& effort,
    const VectorIndex& index) {
  const int32_t d = inputs.dimension;
  const int64_t items = static_cast<int64_t>(inputs.vectors.size()) / d;
  const int32_t k = inputs.config.at_k();
  const std::vector<float> queries =
      QueriesOf(inputs, std::min(inputs.config.tune_queries(), kMostQueries));
  std::vector<FilterTrial> trials;
  for (const double share : kShares) {
    const auto count = static_cast<int64_t>(share * static_cast<double>(items));
    if (count < 1) break;
    const std::vector<int32_t> rows = DrawRows(items, count, inputs.seed);
    ASSIGN_OR_RETURN(const auto exact,
                     ExactTopKAmong(rows, inputs.vectors, queries, d, k,
                                    inputs.threads, /*excluded=*/{}));
    const RowSet allowed(rows);
    FilterTrial trial{.share = share};
    const auto start = std::chrono::steady_clock::now();
    for (size_t q = 0; q < exact.size(); ++q) {
      ASSIGN_OR_RETURN(
          const Found found,
          index.Search(absl::MakeConstSpan(queries).subspan(q * d, d),
                       {.k = k, .allowed = &allowed, .effort = effort}));
      trial.overlap += OverlapAtK(RowsOf(exact[q]), RowsOf(found.neighbors), k);
    }
    const auto searches = static_cast<double>(exact.size());
    trial.overlap /= searches;
    trial.microseconds_per_query = std::chrono::duration<double, std::micro>(
                                       std::chrono::steady_clock::now() - start)
                                       .count() /
                                   searches;
    trials.push_back(trial);
  }
  return trials;
}

}  // namespace segue
