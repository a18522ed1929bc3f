// Builds the index of a catalogue, tunes it to a recall target and writes it.
#ifndef SEGUE_CORE_INDEX_BUILD_INDEX_BUILDER_H_
#define SEGUE_CORE_INDEX_BUILD_INDEX_BUILDER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "core/index/vector_index.h"
#include "segue/v1/config.pb.h"

namespace segue {

struct IndexBuildInputs {
  int32_t dimension = 0;
  absl::Span<const float> vectors;  // [N, d], row i is item i
  // [Q, d], what the tuner measures on, tune_queries of them at most; empty: on
  // the vectors themselves.
  absl::Span<const float> queries;
  v1::IndexConfig config;
  int32_t threads = 1;
  uint64_t seed = 1;
  // Called with a line of text at each stage; may be empty.
  std::function<void(absl::string_view)> progress;
};

// One setting of an index, as the tuner measured it.
struct IndexTrial {
  SearchEffort effort;
  double overlap = 0;  // @tune_k, with the exact answer
  // Mean over the queries. Each is searched by one thread, while others search
  // on the other threads.
  double microseconds_per_query = 0;
};

struct BuiltIndex {
  std::string description;  // FAISS factory string
  SearchEffort effort;      // 0 where there are no cells, no refinement
  uint64_t bytes = 0;       // of the file
  double build_seconds = 0;
  // What the tuner measured at the chosen setting; 1 for a flat index.
  double overlap = 0;
  std::vector<IndexTrial> trials;  // in their order; none of a flat index
};

// Chooses (kind, nlist, sub-quantisers) by size, trains, adds, tunes nprobe and
// k_factor until target_overlap holds, writes `path`. Where no setting reaches
// the target the best one is kept, and `overlap` says how far it got. The same
// inputs give the same bytes, whatever the number of threads: the HNSW coarse
// quantiser is built with one. InvalidArgument: a factory string that FAISS
// does not know or that does not fit the dimension.
absl::StatusOr<BuiltIndex> BuildIndex(const IndexBuildInputs& inputs,
                                      const std::string& path);

// The factory string and cells that BuildIndex would choose for `items`
// vectors; a pure function. Below 156 vectors cells make no sense: flat, unless
// the config names a factory string. InvalidArgument where sizes contradict.
struct IndexPlan {
  std::string factory;
  int32_t nlist = 0;  // 0: flat
};
absl::StatusOr<IndexPlan> PlanIndex(const v1::IndexConfig& config,
                                    int64_t items, int32_t dimension);

}  // namespace segue

#endif  // SEGUE_CORE_INDEX_BUILD_INDEX_BUILDER_H_
