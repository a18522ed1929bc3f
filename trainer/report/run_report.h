// A run's report, from wherever it lies.
#ifndef SEGUE_TRAINER_REPORT_RUN_REPORT_H_
#define SEGUE_TRAINER_REPORT_RUN_REPORT_H_

#include <string>

#include "absl/status/statusor.h"
#include "segue/v1/report.pb.h"

namespace segue {

struct RunReport {
  // What people call it: where it was found.
  std::string name;
  v1::Report report;
};

// Reads the report of `path`: a run's or a bundle's folder, a bundle root (the
// version that its CURRENT names), or a report.json itself. Fields that are not
// known are passed over. NotFound if there is no report; DataLoss if it cannot
// be read; both say where.
absl::StatusOr<RunReport> LoadRunReport(const std::string& path);

}  // namespace segue

#endif  // SEGUE_TRAINER_REPORT_RUN_REPORT_H_
