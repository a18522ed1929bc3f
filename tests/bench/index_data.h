// The vectors that the index is measured on: those of a published bundle.
#ifndef SEGUE_TESTS_BENCH_INDEX_DATA_H_
#define SEGUE_TESTS_BENCH_INDEX_DATA_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace segue::bench {

struct IndexData {
  int32_t dimension = 0;
  std::vector<float> items;    // [N, d]
  std::vector<float> tuning;   // [Q, d] of held-out queries, to tune on
  std::vector<float> queries;  // [Q, d] of others, to measure on
  int64_t size() const {
    return static_cast<int64_t>(items.size()) / dimension;
  }
};

// The first `items` of the bundle in `folder`. Where it has fewer, more are
// made of them: each once more, turned a little. `requests`: the
// sample_requests.json of its run.
absl::StatusOr<IndexData> LoadIndexData(const std::string& folder,
                                        const std::string& requests,
                                        int64_t items, int32_t queries,
                                        int32_t threads);

}  // namespace segue::bench

#endif  // SEGUE_TESTS_BENCH_INDEX_DATA_H_
