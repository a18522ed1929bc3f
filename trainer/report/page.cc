#include "trainer/report/page.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"
#include "trainer/report/assets.h"
#include "trainer/report/config_lines.h"
#include "trainer/report/json.h"

namespace segue {
namespace {

// How a policy names the one text that it allows.
std::string HashSource(absl::string_view text) {
  return absl::StrCat(
      "'sha256-",
      absl::Base64Escape(absl::HexStringToBytes(Sha256::OfString(text))), "'");
}

// A run's figures for page.js, in an element that is no program.
absl::StatusOr<std::string> RunElement(const RunReport& run) {
  v1::Report charted = run.report;
  charted.mutable_evaluation()->clear_examples();
  charted.clear_config();
  ASSIGN_OR_RETURN(const std::string json, ReportToJson(charted));
  const v1::TrainerConfig config =
      ConfigOf(run.report).value_or(v1::TrainerConfig());
  return absl::StrCat(
      "<script type=\"application/json\" class=\"run\" data-name=\"",
      EscapeHtml(run.name), "\" data-validation-k=\"",
      config.training().validation_k(), "\" data-tune-k=\"",
      config.index().at_k(), "\" data-target-overlap=\"",
      config.index().target_overlap(), "\">\n",
      // No text of it can end the element.
      absl::StrReplaceAll(json, {{"<", "\\u003c"}}), "</script>\n");
}

}  // namespace

absl::StatusOr<std::string> MakePage(absl::string_view title,
                                     absl::string_view intro,
                                     const std::vector<PageSection>& sections,
                                     const std::vector<RunReport>& runs) {
  std::string links, body, data;
  for (const PageSection& section : sections) {
    if (section.body.empty()) continue;
    const std::string heading = EscapeHtml(section.title);
    absl::StrAppend(&links, "<a href=\"#", section.id, "\">", heading,
                    "</a>\n");
    absl::StrAppend(&body, "<section id=\"", section.id, "\">\n<h2>", heading,
                    "</h2>\n", section.body, "</section>\n");
  }
  for (const RunReport& run : runs) {
    ASSIGN_OR_RETURN(const std::string element, RunElement(run));
    data += element;
  }
  const std::string script =
      absl::StrCat(assets::ChartsJs(), "\n", assets::PageJs());
  return absl::StrReplaceAll(
      assets::PageHtml(),
      {{"{{title}}", EscapeHtml(title)},
       {"{{script_hashes}}",
        absl::StrCat(HashSource(assets::ChartJs()), " ", HashSource(script))},
       {"{{style_hash}}", HashSource(assets::PageCss())},
       {"{{style}}", assets::PageCss()},
       {"{{intro}}", intro},
       {"{{links}}", links},
       {"{{sections}}", body},
       {"{{data}}", data},
       {"{{chart_js}}", assets::ChartJs()},
       {"{{script}}", script}});
}

}  // namespace segue
