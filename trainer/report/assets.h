// The files that a page is made of, as the build put them into the binary.
#ifndef SEGUE_TRAINER_REPORT_ASSETS_H_
#define SEGUE_TRAINER_REPORT_ASSETS_H_

#include "absl/strings/string_view.h"

namespace segue::assets {

// Chart.js of the distribution, minified, with its licence in its first lines.
absl::string_view ChartJs();
// page.html: the frame, with {{places}} to fill in.
absl::string_view PageHtml();
absl::string_view PageCss();
// What draws charts, and which ones: to be run one after the other.
absl::string_view ChartsJs();
absl::string_view PageJs();

}  // namespace segue::assets

#endif  // SEGUE_TRAINER_REPORT_ASSETS_H_
