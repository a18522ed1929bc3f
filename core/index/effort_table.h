// How hard to search for so much of the exact answer: what the tuner measured
// of an index, kept beside it.
#ifndef SEGUE_CORE_INDEX_EFFORT_TABLE_H_
#define SEGUE_CORE_INDEX_EFFORT_TABLE_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "core/index/vector_index.h"
#include "segue/v1/bundle.pb.h"

namespace segue {

struct EffortPoint {
  SearchEffort effort;
  double overlap = 1;  // @k with the exact answer, a mean over queries
  // Nanoseconds as the cost model (search_cost.h) has them: they compare
  // efforts and predict nothing.
  double cost = 0;
};

// For some k, ascending, the Pareto front of efforts: each costs more than the
// one before it and finds more. Immutable; any thread.
class EffortTable {
 public:
  struct Front {
    int32_t k = 0;
    std::vector<EffortPoint> points;  // not empty
  };

  // Of an index that finds everything: no front, and any overlap is reached
  // with no effort.
  EffortTable() = default;
  // Of what was measured, in any order: keeps what is on a front.
  static EffortTable FrontsOf(const std::vector<Front>& measured);
  // Of a bundle's. DataLoss if the points are on no front.
  static absl::StatusOr<EffortTable> Create(const v1::Efforts& efforts);
  // And back: the points.
  void ToProto(v1::Efforts& efforts) const;

  bool empty() const { return fronts_.empty(); }
  const std::vector<Front>& fronts() const { return fronts_; }

  // The cheapest point that reaches `target` at k, and `more` points beyond it,
  // as far as there are. Where none reaches it, the cheapest within .002 of the
  // best: the last cells cost the most and find the least. Between two k that
  // were measured the efforts of both are interpolated, and the lesser overlap
  // is promised. Below them the least k stands for all; above, more cells are
  // taken than for the largest, and no overlap (0) is promised.
  EffortPoint Reach(int32_t k, double target, int32_t more = 0) const;

 private:
  std::vector<Front> fronts_;  // k ascending
};

}  // namespace segue

#endif  // SEGUE_CORE_INDEX_EFFORT_TABLE_H_
