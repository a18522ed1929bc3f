// A list of filters of EventsConfig, ready to be applied to rows.
#ifndef SEGUE_TRAINER_DATA_FILTER_SET_H_
#define SEGUE_TRAINER_DATA_FILTER_SET_H_

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "segue/v1/config.pb.h"
#include "trainer/data/column.h"
#include "trainer/data/row_filter.h"

namespace segue {

// Holds if every filter holds; one of any_of holds if one of its conditions
// does. Immutable; any thread.
class FilterSet {
 public:
  using Filters = google::protobuf::RepeatedPtrField<v1::EventFilter>;

  // Holds always.
  FilterSet() = default;
  // `request` gives the place in RowBatch::columns of a column that is wanted.
  // Errors as RowFilter's.
  static absl::StatusOr<FilterSet> Create(
      const Filters& filters,
      absl::FunctionRef<int(const ColumnRequest&)> request);

  bool empty() const { return filters_.empty(); }
  bool Holds(const RowBatch& batch, int64_t row) const;

 private:
  struct Condition {
    RowFilter filter;
    int column;
  };
  std::vector<std::vector<Condition>> filters_;  // of each, one has to hold
};

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_FILTER_SET_H_
