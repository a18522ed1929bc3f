// report.html: the report for people.
#ifndef SEGUE_TRAINER_EVALUATION_REPORT_HTML_H_
#define SEGUE_TRAINER_EVALUATION_REPORT_HTML_H_

#include <string>

#include "segue/v1/report.pb.h"

namespace segue {

// One self-contained page: what was read, how training went, how the bundle
// ranks beside the baseline, and the index.
std::string ReportToHtml(const v1::Report& report);

}  // namespace segue

#endif  // SEGUE_TRAINER_EVALUATION_REPORT_HTML_H_
