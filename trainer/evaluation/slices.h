// The figures of parts of the queries: where is a model good, and where not?
#ifndef SEGUE_TRAINER_EVALUATION_SLICES_H_
#define SEGUE_TRAINER_EVALUATION_SLICES_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "core/metrics/ranking_metrics.h"
#include "segue/v1/report.pb.h"
#include "trainer/data/dataset.h"
#include "trainer/data/split.h"
#include "trainer/evaluation/evaluation_set.h"
#include "trainer/evaluation/popularity.h"

namespace segue {

struct Slice {
  std::string dimension;
  std::string label;
  // Does the query's target belong to it?
  std::function<bool(const EvaluationQuery& query, int32_t target)> holds;
};

// Slices of the queries by
// - history length: events before the query;
// - item popularity: of the items with training events, the 1 % that are
//   targets most often, the next 9 % and 40 %, and the rest; the lower row
//   first among equals;
// - new user, new item: those without training events.
// They borrow the log and the split.
std::vector<Slice> MakeSlices(const EventLog& log, const Split& split,
                              const ItemCounts& counts);

// Figures of ranked lists in each slice, gathered a block of queries at a time.
// Where a query has several targets, a slice by item asks for those of its
// targets that belong to it. Borrows the slices. One thread; memory is that of
// RankingMetrics for the users of each slice.
class SliceMetrics {
 public:
  explicit SliceMetrics(const std::vector<Slice>& slices);

  // Rows are the data's.
  void Add(const EvaluationSet& set, const RankedLists& lists);
  // Adds the slices that have queries to `report`, with these lists as its
  // exact ones.
  void AddTo(int32_t resamples, uint64_t seed, v1::SplitReport& report) const;

 private:
  const std::vector<Slice>& slices_;
  std::vector<RankingMetrics> metrics_;  // [slices]
  std::vector<int32_t> queries_;         // [slices]
};

// The same of a baseline: its mean recall alone, and nothing kept of a user.
class SliceRecalls {
 public:
  explicit SliceRecalls(const std::vector<Slice>& slices);

  void Add(const EvaluationSet& set, const RankedLists& lists);
  // Adds the recall to slices of `report`, which SliceMetrics made of the same
  // queries, as that of the baseline `name`.
  void AddTo(absl::string_view name, v1::SplitReport& report) const;

 private:
  const std::vector<Slice>& slices_;
  std::vector<double> sums_;      // [slices, depths]
  std::vector<int32_t> queries_;  // [slices]
};

}  // namespace segue

#endif  // SEGUE_TRAINER_EVALUATION_SLICES_H_
