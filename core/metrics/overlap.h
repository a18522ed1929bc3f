// How much two answers to one question share.
#ifndef SEGUE_CORE_METRICS_OVERLAP_H_
#define SEGUE_CORE_METRICS_OVERLAP_H_

#include <cstdint>

#include "absl/types/span.h"

namespace segue {

// Share of the first k rows of `expected` that are among the first k of
// `found`, in [0, 1]. Where `expected` has fewer than k, all of them count; an
// empty one is found whole: 1. Rows must be distinct within a list.
double OverlapAtK(absl::Span<const int32_t> expected,
                  absl::Span<const int32_t> found, int32_t k);

}  // namespace segue

#endif  // SEGUE_CORE_METRICS_OVERLAP_H_
