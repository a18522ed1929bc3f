// Messages as JSON, as the trainer's files have it.
#ifndef SEGUE_TRAINER_REPORT_JSON_H_
#define SEGUE_TRAINER_REPORT_JSON_H_

#include <string>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "segue/v1/report.pb.h"

namespace segue {

// With the fields' own names; `spaced` is for people: over several lines, and
// with the zeros that JSON leaves out otherwise. Internal if it cannot be
// printed.
absl::StatusOr<std::string> MessageToJson(
    const google::protobuf::Message& message, bool spaced);

// report.json's text, as `segue-trainer evaluate` prints it: spaced, and what
// goes by k ("5", "10", "100") in the order of the numbers.
absl::StatusOr<std::string> ReportToJson(const v1::Report& report);

}  // namespace segue

#endif  // SEGUE_TRAINER_REPORT_JSON_H_
