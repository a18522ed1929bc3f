// One condition of an EventFilter, ready to be applied.
#ifndef SEGUE_TRAINER_DATA_ROW_FILTER_H_
#define SEGUE_TRAINER_DATA_ROW_FILTER_H_

#include <cstdint>
#include <limits>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "segue/v1/config.pb.h"
#include "trainer/data/column.h"

namespace segue {

// One condition on one column. Immutable; any thread.
class RowFilter {
 public:
  // InvalidArgument unless the column and exactly one condition on it are
  // set. Knows nothing of any_of (FilterSet does).
  static absl::StatusOr<RowFilter> Create(const v1::EventFilter& config);

  // The column that Holds() wants.
  const ColumnRequest& request() const { return request_; }
  // Whether value i fulfils the condition; a null never does.
  bool Holds(const Column& column, int64_t i) const;

 private:
  RowFilter() = default;

  ColumnRequest request_;
  absl::flat_hash_set<std::string> texts_;
  absl::flat_hash_set<int64_t> integers_;  // those of texts_ that are integers
  double at_least_ = -std::numeric_limits<double>::infinity();
  double at_most_ = std::numeric_limits<double>::infinity();
};

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_ROW_FILTER_H_
