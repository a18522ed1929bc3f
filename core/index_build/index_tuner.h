// Finds the cheapest search settings that reach a recall target. Private to
// core/index_build.
#ifndef SEGUE_CORE_INDEX_BUILD_INDEX_TUNER_H_
#define SEGUE_CORE_INDEX_BUILD_INDEX_TUNER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/index_build/index_builder.h"

namespace segue {

// What can be set on an index.
struct TunableIndex {
  int64_t items = 0;
  int32_t nlist = 0;  // 0: no cells
  bool refines = false;
};

struct TunedEffort {
  SearchEffort effort;
  double overlap = 0;
};

// Overlap@tune_k with the exact answer at some settings.
using MeasureOverlap =
    std::function<absl::StatusOr<double>(const SearchEffort&)>;

// The search alone. It first raises nprobe at the largest k_factor until the
// target is reached, which bounds nprobe from below (more cells or more
// candidates never lose), then tries settings from there by estimated cost:
// vectors scanned, and candidates refined, each of which counts as five
// scanned. The estimate is a pure function, so that the same vectors give the
// same settings on a busy machine. Where the target is out of reach, the
// cheapest settings within .002 of the best overlap.
absl::StatusOr<TunedEffort> TuneEffort(const v1::IndexConfig& config,
                                       const TunableIndex& index,
                                       const MeasureOverlap& measure);

// TuneEffort() over the index in the file at `path`, searched as the server
// will. Adds what it measures to `trials`.
absl::StatusOr<TunedEffort> TuneIndexFile(const IndexBuildInputs& inputs,
                                          const TunableIndex& index,
                                          const std::string& path,
                                          std::vector<IndexTrial>& trials);

}  // namespace segue

#endif  // SEGUE_CORE_INDEX_BUILD_INDEX_TUNER_H_
