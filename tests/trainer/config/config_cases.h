// What tests of ValidateTrainerConfig() share: configs of a few settings, and
// how a refusal reads.
#ifndef SEGUE_TESTS_TRAINER_CONFIG_CONFIG_CASES_H_
#define SEGUE_TESTS_TRAINER_CONFIG_CONFIG_CASES_H_

#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "core/config/text_proto.h"
#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"
#include "trainer/config/config_validation.h"

namespace segue::testing {

// The smallest valid config with `assignments`, as of --set, on top.
inline v1::TrainerConfig ConfigWith(
    const std::vector<std::string>& assignments) {
  v1::TrainerConfig config;
  config.mutable_events()->set_path("events.csv");
  for (const std::string& assignment : assignments) {
    EXPECT_THAT(SetField(assignment, config), IsOk());
  }
  return config;
}

// A config with one mistake.
struct Refused {
  const char* name;
  std::vector<std::string> assignments;
  const char* said;  // the field, and what is wrong with it
};

inline void PrintTo(const Refused& test, std::ostream* out) {
  *out << test.name;
}

inline void ExpectRefused(const Refused& test) {
  const absl::Status status =
      ValidateTrainerConfig(ConfigWith(test.assignments));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                               ::testing::HasSubstr(test.said)));
  // One mistake, one line.
  EXPECT_THAT(std::vector<std::string>(
                  absl::StrSplit(std::string(status.message()), '\n')),
              ::testing::SizeIs(1))
      << status;
}

}  // namespace segue::testing

#endif  // SEGUE_TESTS_TRAINER_CONFIG_CONFIG_CASES_H_
