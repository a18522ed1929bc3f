// The Prometheus text format, read back.
#ifndef SEGUE_TESTS_SERVER_METRIC_VALUES_H_
#define SEGUE_TESTS_SERVER_METRIC_VALUES_H_

#include <map>
#include <string>

namespace segue::testing {

// Values by series as it is written: `name` or `name{a="b",c="d"}`, labels in
// the order of their names. A line that is none, or a series that comes twice,
// fails the test.
std::map<std::string, double> MetricValues(const std::string& text);

// `values` of one series; a missing one fails the test.
double MetricValue(const std::string& text, const std::string& series);

}  // namespace segue::testing

#endif  // SEGUE_TESTS_SERVER_METRIC_VALUES_H_
