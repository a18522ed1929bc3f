// The exact answer that an approximate one is held against.
#ifndef SEGUE_CORE_INDEX_EXACT_SEARCH_H_
#define SEGUE_CORE_INDEX_EXACT_SEARCH_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/index/vector_index.h"

namespace segue {

// Rows that query number `query` must not be answered with, in any order;
// called from several threads at once.
using ExcludedRows = std::function<absl::Span<const int32_t>(int64_t query)>;

// For each query the min(k, N - distinct excluded) rows of `vectors` with the
// largest inner product, best first, the lower row first among equals.
//
// `vectors` [N, d] and `queries` [Q, d], row-major, finite; `excluded` may be
// empty. Blocked matrix products (BLAS) on `threads` threads; memory beside the
// result is 4 MiB a thread and 2 KiB times k. InvalidArgument: d < 1, k < 1, or
// a span that is no whole number of rows.
absl::StatusOr<std::vector<std::vector<Neighbor>>> ExactTopK(
    absl::Span<const float> vectors, absl::Span<const float> queries,
    int32_t dimension, int32_t k, int32_t threads,
    const ExcludedRows& excluded);

// The same among `rows` (ascending) of the vectors alone; neighbours are rows
// of `vectors`, and so are the excluded. 32 KiB times d more a thread.
absl::StatusOr<std::vector<std::vector<Neighbor>>> ExactTopKAmong(
    absl::Span<const int32_t> rows, absl::Span<const float> vectors,
    absl::Span<const float> queries, int32_t dimension, int32_t k,
    int32_t threads, const ExcludedRows& excluded);

// The inner product of `x` [d] with each row of `vectors` [N, d].
std::vector<float> InnerProducts(absl::Span<const float> x,
                                 absl::Span<const float> vectors);

}  // namespace segue

#endif  // SEGUE_CORE_INDEX_EXACT_SEARCH_H_
