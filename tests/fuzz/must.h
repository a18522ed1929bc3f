// What a fuzzer reports beside what sanitizers see.
#ifndef SEGUE_TESTS_FUZZ_MUST_H_
#define SEGUE_TESTS_FUZZ_MUST_H_

#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace segue::fuzz {

// Ends the process, which the fuzzer takes for a finding, where it does not
// hold.
inline void Must(bool holds, absl::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: does not hold: %s\n", std::string(what).c_str());
  std::abort();
}

// OK, or a refusal with one of these codes and something to say.
inline void MustBeOkOr(const absl::Status& status, absl::StatusCode code,
                       absl::StatusCode other = absl::StatusCode::kOk) {
  Must(status.ok() || status.code() == code || status.code() == other,
       status.ToString());
  Must(status.ok() || !status.message().empty(), "a refusal says why");
}

}  // namespace segue::fuzz

#endif  // SEGUE_TESTS_FUZZ_MUST_H_
