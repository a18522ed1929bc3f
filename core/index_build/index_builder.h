// Builds the index of a catalogue for the overlap that is asked of it, and
// writes it.
#ifndef SEGUE_CORE_INDEX_BUILD_INDEX_BUILDER_H_
#define SEGUE_CORE_INDEX_BUILD_INDEX_BUILDER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "core/index/effort_table.h"
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
  // What to call a row in an error; empty: by its number.
  std::function<std::string(int64_t row)> name;
  // Called with a line of text at each stage; may be empty.
  std::function<void(absl::string_view)> progress;
};

// A factory string, and its cells.
struct IndexPlan {
  std::string factory;
  int32_t nlist = 0;  // 0: none
};

// One effort, as the tuner measured it.
struct IndexTrial {
  int32_t k = 0;
  SearchEffort effort;
  double overlap = 0;  // @k, with the exact answer
  double exact = 0;    // share of the searches that scored everything
  // Mean over the queries. Each is searched by one thread, while others search
  // on the other threads.
  double microseconds_per_query = 0;
};

// One structure, tried on a part of the items.
struct StructureTrial {
  IndexPlan plan;             // for all items
  int64_t items = 0;          // all
  double bytes_per_item = 0;  // for all items
  double overlap = 0;         // @at_k on the part, at the least effort for
  double cost = 0;            //   the target (search_cost.h)
};

// Where rows of the exact answer are lost, as shares of it: each by the first
// part of the index that did not hand it on. With what is found they add up to
// 1.
struct OverlapLosses {
  double cells = 0;       // in no cell that was searched, or not on the walk
                          //   through a graph
  double codes = 0;       // in one, and ranked too low by its code
  double refinement = 0;  // a candidate, and scored too low
};

// Searches under a filter that keeps an evenly drawn share of the items.
struct FilterTrial {
  double share = 0;
  double overlap = 0;  // @at_k, with the exact answer among them
  double microseconds_per_query = 0;
};

struct BuiltIndex {
  std::string description;  // FAISS factory string
  uint64_t bytes = 0;       // of the file
  double build_seconds = 0;
  // Of these, to train this structure and add the vectors to it; the others
  // went into choosing and tuning.
  double construct_seconds = 0;
  // The least effort for the target at at_k, and what it finds: 0 and 1 of a
  // flat index.
  SearchEffort effort;
  double overlap = 1;
  double microseconds_per_query = 0;
  OverlapLosses losses;
  std::vector<FilterTrial> filters;        // none of a flat index
  EffortTable efforts;                     // empty of a flat index
  std::vector<IndexTrial> trials;          // in their order
  std::vector<StructureTrial> structures;  // best first; one alone is not tried
};

// Chooses a structure (structure_trials.h), builds it over all items, measures
// its efforts, writes `path`. Where the target is missed within the config's
// limits, the next structure is built; where all miss it, the one that came
// closest is kept (KEEP_BEST) or FailedPrecondition says which it is and what
// would help (REFUSE). The same inputs give the same bytes, whatever the number
// of threads: the HNSW coarse quantiser is built with one. InvalidArgument: a
// factory string that FAISS does not know or that does not fit the dimension, a
// vector that is not finite or zero.
absl::StatusOr<BuiltIndex> BuildIndex(const IndexBuildInputs& inputs,
                                      const std::string& path);

// The structures that BuildIndex would try for `items` vectors; a pure
// function. Below 156 vectors cells make no sense: flat, unless the config
// names a factory string. InvalidArgument where sizes contradict.
absl::StatusOr<std::vector<IndexPlan>> PlanIndexes(
    const v1::IndexConfig& config, int64_t items, int32_t dimension);

// How many of `items` vectors train an index of so many cells (0: none):
// 300,000 or 39 a cell, whichever is more, within max_training_vectors.
int64_t TrainingVectors(const v1::IndexConfig& config, int64_t items,
                        int32_t nlist);

}  // namespace segue

#endif  // SEGUE_CORE_INDEX_BUILD_INDEX_BUILDER_H_
