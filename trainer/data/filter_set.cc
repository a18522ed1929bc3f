#include "trainer/data/filter_set.h"

#include <algorithm>
#include <utility>

#include "core/base/status_macros.h"

namespace segue {

absl::StatusOr<FilterSet> FilterSet::Create(
    const Filters& filters,
    absl::FunctionRef<int(const ColumnRequest&)> request) {
  FilterSet set;
  for (const v1::EventFilter& config : filters) {
    std::vector<Condition>& conditions = set.filters_.emplace_back();
    const auto add = [&](const v1::EventFilter& condition) -> absl::Status {
      ASSIGN_OR_RETURN(RowFilter filter, RowFilter::Create(condition));
      const int column = request(filter.request());
      conditions.push_back({std::move(filter), column});
      return absl::OkStatus();
    };
    if (config.any_of().empty()) RETURN_IF_ERROR(add(config));
    for (const v1::EventFilter& condition : config.any_of()) {
      RETURN_IF_ERROR(add(condition));
    }
  }
  return set;
}

bool FilterSet::Holds(const RowBatch& batch, int64_t row) const {
  const auto holds = [&](const Condition& condition) {
    return condition.filter.Holds(batch.columns[condition.column], row);
  };
  return std::all_of(filters_.begin(), filters_.end(),
                     [&](const std::vector<Condition>& any_of) {
                       return std::any_of(any_of.begin(), any_of.end(), holds);
                     });
}

}  // namespace segue
