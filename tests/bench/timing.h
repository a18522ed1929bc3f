// What the benchmarks measure with, and the lines of JSON that they print.
#ifndef SEGUE_TESTS_BENCH_TIMING_H_
#define SEGUE_TESTS_BENCH_TIMING_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace segue::bench {

// Seconds since some moment.
double Now();

// The most memory that the process has had, in units of 1e9 bytes.
double PeakGigabytes();

// One object, written as it is filled. A value.
class JsonLine {
 public:
  JsonLine& Add(absl::string_view name, double value);
  // A text without quotes or backslashes.
  JsonLine& Add(absl::string_view name, absl::string_view value);
  // {"median", "min", "max", "count"} of the values, at least one.
  JsonLine& Add(absl::string_view name, std::vector<double> values);
  void Print() const;

 private:
  std::string fields_;
};

}  // namespace segue::bench

#endif  // SEGUE_TESTS_BENCH_TIMING_H_
