// What filters cost an index, and what they lose. Private to core/index_build.
#ifndef SEGUE_CORE_INDEX_BUILD_FILTER_TRIALS_H_
#define SEGUE_CORE_INDEX_BUILD_FILTER_TRIALS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "core/index_build/index_builder.h"

namespace segue {

// Searches for at_k of the tuning queries under filters that keep 50, 10, 1, .1
// and .01 % of the items, evenly drawn; as far as an item is kept.
absl::StatusOr<std::vector<FilterTrial>> TryFilters(
    const IndexBuildInputs& inputs, const SearchEffort& effort,
    const VectorIndex& index);

}  // namespace segue

#endif  // SEGUE_CORE_INDEX_BUILD_FILTER_TRIALS_H_
