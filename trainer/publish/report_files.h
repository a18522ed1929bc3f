// report.json and report.html of a run, and JSON as they write it.
#ifndef SEGUE_TRAINER_PUBLISH_REPORT_FILES_H_
#define SEGUE_TRAINER_PUBLISH_REPORT_FILES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/index_build/index_builder.h"
#include "google/protobuf/message.h"
#include "segue/v1/report.pb.h"

namespace segue {

// With the fields' own names; `spaced` is for people: over several lines, and
// with the zeros that JSON leaves out otherwise.
absl::StatusOr<std::string> MessageToJson(
    const google::protobuf::Message& message, bool spaced);

// report.json's text, as `segue-trainer evaluate` prints it.
absl::StatusOr<std::string> ReportToJson(const v1::Report& report);

// Writes report.json and report.html into `folder`.
absl::Status WriteReport(const v1::Report& report, const std::string& folder);

void FillIndexReport(const BuiltIndex& built, v1::IndexReport& report);
void FillLibraryVersions(v1::Report& report);

}  // namespace segue

#endif  // SEGUE_TRAINER_PUBLISH_REPORT_FILES_H_
