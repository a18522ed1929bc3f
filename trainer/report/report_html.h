// report.html and the page of a comparison: what a person looks at.
#ifndef SEGUE_TRAINER_REPORT_REPORT_HTML_H_
#define SEGUE_TRAINER_REPORT_REPORT_HTML_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "segue/v1/report.pb.h"
#include "trainer/report/run_report.h"

namespace segue {

// One self-contained page: data and split, training, the test beside baselines,
// slices, what is recommended, the index, examples, configuration. What the
// report lacks is left out. Internal if the report cannot be printed as JSON.
absl::StatusOr<std::string> ReportToHtml(const v1::Report& report);

// One self-contained page with runs side by side and their curves overlaid.
absl::StatusOr<std::string> ComparisonToHtml(
    const std::vector<RunReport>& runs);

}  // namespace segue

#endif  // SEGUE_TRAINER_REPORT_REPORT_HTML_H_
