#include <cstdio>
#include <utility>

#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "trainer/report/comparison.h"
#include "trainer/report/report_html.h"
#include "trainer/report/run_report.h"
#include "trainer/verbs/verbs.h"

namespace segue {

absl::Status RunCompare(const std::vector<std::string>& runs,
                        const std::string& html_file) {
  std::vector<RunReport> loaded;
  for (const std::string& path : runs) {
    ASSIGN_OR_RETURN(RunReport run, LoadRunReport(path));
    loaded.push_back(std::move(run));
  }
  std::fputs(ComparisonToText(loaded).c_str(), stdout);
  if (html_file.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string html, ComparisonToHtml(loaded));
  return WriteFileAtomically(html_file, html);
}

}  // namespace segue
