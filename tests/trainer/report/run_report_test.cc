#include "trainer/report/run_report.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/base/file.h"
#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"

namespace segue {
namespace {

using ::segue::testing::IsOk;
using ::segue::testing::StatusIs;
using ::segue::testing::TempFolder;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kVersion[] = "20260131T235959Z-0123456789ab";
constexpr char kReport[] = R"({"bundle_version": "v", "of_later": [1]})";

class LoadRunReportTest : public ::testing::Test {
 protected:
  void Write(const std::string& folder, const std::string& name,
             absl::string_view text) {
    ASSERT_THAT(CreateFolders(folder_ / folder), IsOk());
    ASSERT_THAT(WriteFileAtomically(folder_ / (folder + "/" + name), text),
                IsOk());
  }

  void ExpectReportAt(const std::string& path) {
    const auto run = LoadRunReport(folder_ / path);
    ASSERT_THAT(run, IsOk());
    EXPECT_EQ(run->report.bundle_version(), "v");
  }

  const TempFolder folder_;
};

TEST_F(LoadRunReportTest, FindsTheReportOfFoldersAndFiles) {
  Write("run", "report.json", kReport);
  ExpectReportAt("run");
  ExpectReportAt("run/report.json");
  const auto run = LoadRunReport(folder_ / "run//");
  ASSERT_THAT(run, IsOk());
  EXPECT_EQ(run->name, folder_ / "run");
}

TEST_F(LoadRunReportTest, FollowsCurrentOfABundleRoot) {
  Write(kVersion, "report.json", kReport);
  Write(".", "CURRENT", std::string(kVersion) + "\n");
  ExpectReportAt("");
}

TEST_F(LoadRunReportTest, SaysWhatItWantsWhereThereIsNothing) {
  for (const char* path : {"", "nowhere"}) {
    EXPECT_THAT(LoadRunReport(folder_ / path),
                StatusIs(absl::StatusCode::kNotFound,
                         AllOf(HasSubstr(folder_.path()),
                               HasSubstr("no report here"))));
  }
}

TEST_F(LoadRunReportTest, NamesTheFileThatIsNoReport) {
  Write("run", "report.json", "{\"training\": ");
  EXPECT_THAT(LoadRunReport(folder_ / "run"),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("run/report.json is no report")));
}

}  // namespace
}  // namespace segue
