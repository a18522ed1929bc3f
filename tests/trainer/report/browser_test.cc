// The pages in a browser: every chart is drawn, and nothing is complained of.
// Runs where SEGUE_CHROMIUM names a Chromium (tests/full.sh browser).
#include <stdlib.h>

#include <array>
#include <cstdio>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"
#include "tests/trainer/report/full_report.h"
#include "trainer/report/report_html.h"

namespace segue {
namespace {

using ::segue::testing::FullReport;
using ::segue::testing::IsOk;
using ::segue::testing::TempFolder;
using ::testing::HasSubstr;
using ::testing::Not;

class BrowserTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::getenv("SEGUE_CHROMIUM") == nullptr) {
      GTEST_SKIP() << "SEGUE_CHROMIUM does not name a browser";
    }
  }

  // The page's elements after its scripts ran; the console goes to log_.
  std::string Render(const absl::StatusOr<std::string>& page) {
    EXPECT_THAT(page, IsOk());
    const std::string file = folder_ / "page.html", log = folder_ / "log";
    EXPECT_THAT(WriteFileAtomically(file, page.value_or("")), IsOk());
    const std::string command = absl::StrCat(
        "timeout 60 '", ::getenv("SEGUE_CHROMIUM"),
        "' --headless --no-sandbox --disable-gpu --no-first-run "
        "--disable-background-networking --disable-component-update "
        "--disable-sync --enable-logging=stderr --user-data-dir='",
        folder_ / "profile", "' --dump-dom 'file://", file, "' 2>'", log, "'");
    std::FILE* pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) return "";
    std::string dom;
    std::array<char, 65536> piece;
    while (const size_t n = std::fread(piece.data(), 1, piece.size(), pipe)) {
      dom.append(piece.data(), n);
    }
    EXPECT_EQ(::pclose(pipe), 0);
    log_ = ReadFile(log, 1 << 20).value_or("");
    return dom;
  }

  void ExpectAllDrawn(const absl::StatusOr<std::string>& page, int charts) {
    const std::string dom = Render(page);
    int drawn = 0;
    for (size_t at = 0;
         (at = dom.find("data-drawn=\"yes\"", at)) != std::string::npos; ++at) {
      ++drawn;
    }
    EXPECT_EQ(drawn, charts);
    EXPECT_THAT(dom, Not(HasSubstr("<p class=\"bad\"")));
    EXPECT_THAT(log_, Not(HasSubstr("CONSOLE")));
  }

  const TempFolder folder_;
  std::string log_;
};

TEST_F(BrowserTest, EveryChartOfAReportIsDrawn) {
  ExpectAllDrawn(ReportToHtml(FullReport()), 10);
}

TEST_F(BrowserTest, EveryChartOfAComparisonIsDrawn) {
  v1::Report bare;
  bare.mutable_training()->add_loss(3);
  ExpectAllDrawn(
      ComparisonToHtml({{"a", FullReport()}, {"b", FullReport()}, {"c", bare}}),
      9);
}

}  // namespace
}  // namespace segue
