// report.json and report.html of a run.
#ifndef SEGUE_TRAINER_PUBLISH_REPORT_FILES_H_
#define SEGUE_TRAINER_PUBLISH_REPORT_FILES_H_

#include <string>

#include "absl/status/status.h"
#include "core/index_build/index_builder.h"
#include "segue/v1/config.pb.h"
#include "segue/v1/report.pb.h"

namespace segue {

// Writes report.json and report.html into `folder`.
absl::Status WriteReport(const v1::Report& report, const std::string& folder);

// What one has to know to do the run again: configuration and seed, split and
// loss in words, versions.
void DescribeRun(const v1::TrainerConfig& config, v1::Report& report);

void FillIndexReport(const BuiltIndex& built, v1::IndexReport& report);
// The report of a bundle, after its index became another: what was measured of
// the one before goes.
void ReplaceIndexReport(const BuiltIndex& built, v1::Report& report);
void FillLibraryVersions(v1::Report& report);

}  // namespace segue

#endif  // SEGUE_TRAINER_PUBLISH_REPORT_FILES_H_
