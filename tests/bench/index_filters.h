// What filters and rules of variety cost a bundle's index, and what they lose.
#ifndef SEGUE_TESTS_BENCH_INDEX_FILTERS_H_
#define SEGUE_TESTS_BENCH_INDEX_FILTERS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "core/retrieval/serving_snapshot.h"
#include "tests/bench/index_data.h"

namespace segue::bench {

// Searches of k, as the server makes them, under filters that keep from half to
// a ten-thousandth of the items, evenly drawn or near one another, and under
// rules of diversity; each beside the same search without. Prints a line of
// JSON for each. REQUIRES: the data has all items of the snapshot, and no more.
absl::Status MeasureFilters(const ServingSnapshot& snapshot,
                            const IndexData& data, int32_t k,
                            int32_t repetitions, int32_t threads);

}  // namespace segue::bench

#endif  // SEGUE_TESTS_BENCH_INDEX_FILTERS_H_
