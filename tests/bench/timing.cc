#include "tests/bench/timing.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "absl/strings/str_format.h"

namespace segue::bench {

double Now() {
  return std::chrono::duration<double>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

double PeakGigabytes() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024 / 1e9;
}

JsonLine& JsonLine::Add(absl::string_view name, double value) {
  absl::StrAppendFormat(&fields_, "%s\"%s\": %.9g", fields_.empty() ? "" : ", ",
                        name, value);
  return *this;
}

JsonLine& JsonLine::Add(absl::string_view name, absl::string_view value) {
  absl::StrAppendFormat(&fields_, "%s\"%s\": \"%s\"",
                        fields_.empty() ? "" : ", ", name, value);
  return *this;
}

JsonLine& JsonLine::Add(absl::string_view name, std::vector<double> values) {
  std::sort(values.begin(), values.end());
  absl::StrAppendFormat(
      &fields_,
      "%s\"%s\": {\"median\": %.9g, \"min\": %.9g, \"max\": %.9g, "
      "\"count\": %d}",
      fields_.empty() ? "" : ", ", name, values[values.size() / 2],
      values.front(), values.back(), values.size());
  return *this;
}

void JsonLine::Print() const {
  std::printf("{%s}\n", fields_.c_str());
  std::fflush(stdout);
}

}  // namespace segue::bench
