#include "trainer/evaluation/serving_requests.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace segue {
namespace {

void AddFeature(const FeatureTable& table, int64_t row,
                v1::RetrieveRequest& request) {
  if (table.kind == v1::NUMERIC) {
    if (!std::isfinite(table.numbers[row])) return;
    v1::Feature& feature = *request.add_request_features();
    feature.set_name(table.name);
    feature.set_number(table.numbers[row]);
    return;
  }
  const absl::Span<const int32_t> values = table.Values(row);
  if (values.empty()) return;
  v1::Feature& feature = *request.add_request_features();
  feature.set_name(table.name);
  feature.set_category(std::string(table.values.id(values[0])));
}

// A time of 0 would be the server's clock. No event is older than that, so that
// all happened at the time of the request: what times that are not sent mean.
bool SendsTimes(const EventLog& log, int64_t target) {
  return log.time_unit == v1::EventsConfig::SECONDS && log.times[target] > 0;
}

}  // namespace

v1::RetrieveRequest ToRequest(const Dataset& data, const EvaluationQuery& query,
                              int32_t history_length) {
  v1::RetrieveRequest request;
  request.set_user_id(std::string(data.users.id(query.user)));
  const int64_t begin =
      std::max(data.log.user_begins[query.user], query.target - history_length);
  for (int64_t e = begin; e < query.target; ++e) {
    request.add_history(std::string(data.items.id(data.log.items[e])));
  }
  if (SendsTimes(data.log, query.target)) {
    request.mutable_history_times()->Add(data.log.times.begin() + begin,
                                         data.log.times.begin() + query.target);
    request.set_request_time(data.log.times[query.target]);
  }
  for (const FeatureTable& table : data.log.request_features) {
    AddFeature(table, query.target, request);
  }
  return request;
}

}  // namespace segue
