#include "tests/server/metric_values.h"

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"

namespace segue::testing {

std::map<std::string, double> MetricValues(const std::string& text) {
  std::map<std::string, double> values;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    if (line.front() == '#') continue;
    const size_t space = line.rfind(' ');
    double value = 0;
    if (space == absl::string_view::npos ||
        !absl::SimpleAtod(line.substr(space + 1), &value)) {
      ADD_FAILURE() << "no sample: " << line;
      continue;
    }
    const bool fresh =
        values.emplace(std::string(line.substr(0, space)), value).second;
    EXPECT_TRUE(fresh) << "twice: " << line;
  }
  return values;
}

double MetricValue(const std::string& text, const std::string& series) {
  const auto values = MetricValues(text);
  const auto found = values.find(series);
  if (found == values.end()) {
    ADD_FAILURE() << "no series " << series << " in\n" << text;
    return -1;
  }
  return found->second;
}

}  // namespace segue::testing
