// The frame of a page: everything that it needs is in it.
#ifndef SEGUE_TRAINER_REPORT_PAGE_H_
#define SEGUE_TRAINER_REPORT_PAGE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trainer/report/html.h"
#include "trainer/report/run_report.h"

namespace segue {

// One HTML file that loads nothing: style, scripts and the figures that charts
// are drawn from (those of `runs`, as JSON) lie inside, and its policy forbids
// any other script and every connection. `intro` is HTML. Sections without a
// body are left out; text and tables can be read without scripts.
absl::StatusOr<std::string> MakePage(absl::string_view title,
                                     absl::string_view intro,
                                     const std::vector<PageSection>& sections,
                                     const std::vector<RunReport>& runs);

}  // namespace segue

#endif  // SEGUE_TRAINER_REPORT_PAGE_H_
