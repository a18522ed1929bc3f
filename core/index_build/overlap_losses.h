// Which part of an index loses what the exact answer has. Private to
// core/index_build.
#ifndef SEGUE_CORE_INDEX_BUILD_OVERLAP_LOSSES_H_
#define SEGUE_CORE_INDEX_BUILD_OVERLAP_LOSSES_H_

#include "absl/status/statusor.h"
#include "core/index_build/index_builder.h"

namespace segue {

// Over the tuner's queries, at_k and an effort.
absl::StatusOr<OverlapLosses> MeasureLosses(const IndexBuildInputs& inputs,
                                            const SearchEffort& effort,
                                            const VectorIndex& index);

}  // namespace segue

#endif  // SEGUE_CORE_INDEX_BUILD_OVERLAP_LOSSES_H_
