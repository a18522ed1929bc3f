// Measures how much of the exact answer each effort finds. Private to
// core/index_build.
#ifndef SEGUE_CORE_INDEX_BUILD_INDEX_TUNER_H_
#define SEGUE_CORE_INDEX_BUILD_INDEX_TUNER_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "core/index/effort_table.h"
#include "core/index/search_cost.h"
#include "core/index_build/index_builder.h"

namespace segue {

struct MeasuredOverlap {
  double overlap = 0;  // with the exact top k, a mean over queries
  // Share of the searches that found fewer than k and scored everything: these
  // say nothing of the effort.
  double exact = 0;
};
using MeasureOverlap = std::function<absl::StatusOr<MeasuredOverlap>(
    int32_t k, const SearchEffort&)>;

// The efforts worth knowing at k. Cells are doubled and halved between (4, 6,
// 8, 12, ...), candidates doubled, each as long as that finds more; the
// config's nprobe and k_factor, if set, are the only ones.
absl::StatusOr<EffortTable::Front> MeasureFront(const v1::IndexConfig& config,
                                                const IndexShape& shape,
                                                int32_t k,
                                                const MeasureOverlap& measure);

// The values of k to measure: 10, at_k and 1000, as far as there are items.
std::vector<int32_t> TunedKs(const v1::IndexConfig& config, int64_t items);

// What is measured on: at most `most` of the queries, or of the vectors.
std::vector<float> QueriesOf(const IndexBuildInputs& inputs, int32_t most);

// MeasureFront() for each of `ks`. Adds what it measures to `trials`.
absl::StatusOr<EffortTable> TuneIndex(const IndexBuildInputs& inputs,
                                      const VectorIndex& index,
                                      const std::vector<int32_t>& ks,
                                      std::vector<IndexTrial>& trials);

}  // namespace segue

#endif  // SEGUE_CORE_INDEX_BUILD_INDEX_TUNER_H_
