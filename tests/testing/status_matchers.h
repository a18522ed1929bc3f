// IsOk() and StatusIs(code, message matcher) for Status and StatusOr.
#ifndef SEGUE_TESTS_TESTING_STATUS_MATCHERS_H_
#define SEGUE_TESTS_TESTING_STATUS_MATCHERS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"

namespace segue::testing {

inline const absl::Status& ToStatus(const absl::Status& status) {
  return status;
}
template <typename T>
const absl::Status& ToStatus(const absl::StatusOr<T>& status_or) {
  return status_or.status();
}

MATCHER(IsOk, "") {
  *result_listener << ToStatus(arg);
  return ToStatus(arg).ok();
}

MATCHER_P2(StatusIs, code, message, "") {
  *result_listener << ToStatus(arg);
  return ToStatus(arg).code() == code &&
         ::testing::ExplainMatchResult(
             message, std::string(ToStatus(arg).message()), result_listener);
}

}  // namespace segue::testing

#endif  // SEGUE_TESTS_TESTING_STATUS_MATCHERS_H_
