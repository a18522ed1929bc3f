// Which kind of index suits the vectors: tried on a part of them. Private to
// core/index_build.
#ifndef SEGUE_CORE_INDEX_BUILD_STRUCTURE_TRIALS_H_
#define SEGUE_CORE_INDEX_BUILD_STRUCTURE_TRIALS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/index_build/index_builder.h"

namespace segue {

inline constexpr int64_t kTrialItems = 100000;

// Builds each structure of PlanIndexes() over at most `trial_items` of the
// items and measures what at_k costs there at the target. Those within
// max_bytes_per_item, the least cost times bytes first, then those that miss
// the target there, the nearest first. `path` names a file to work in, which is
// removed. FailedPrecondition if all are too large.
absl::StatusOr<std::vector<StructureTrial>> TryStructures(
    const IndexBuildInputs& inputs, const std::string& path,
    int64_t trial_items = kTrialItems);

}  // namespace segue

#endif  // SEGUE_CORE_INDEX_BUILD_STRUCTURE_TRIALS_H_
