#include "trainer/publish/report_files.h"

#include <string>

#include "core/base/file.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/message_differencer.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"

namespace segue {
namespace {

using ::google::protobuf::util::JsonStringToMessage;
using ::google::protobuf::util::MessageDifferencer;
using ::segue::testing::IsOk;
using ::segue::testing::TempFolder;
using ::testing::HasSubstr;

std::string Text(const std::string& path) {
  const auto text = ReadFile(path, 1 << 20);
  EXPECT_THAT(text, IsOk());
  return text.value_or("");
}

TEST(WriteReportTest, JsonIsTheReportAndHtmlBesideIt) {
  const TempFolder folder;
  v1::Report report;
  report.set_bundle_version("v7");
  report.mutable_dataset()->set_events(46467212);
  report.mutable_training()->add_loss(6.5);
  v1::SplitReport& test = *report.mutable_evaluation()->mutable_test();
  (*test.mutable_exact()->mutable_recall())["10"] = 0.25;
  ASSERT_THAT(WriteReport(report, folder.path()), IsOk());
  const std::string json = Text(folder / "report.json");
  v1::Report parsed;
  ASSERT_TRUE(JsonStringToMessage(json, &parsed).ok()) << json;
  EXPECT_TRUE(MessageDifferencer::Equals(parsed, report)) << json;
  // Names as in the .proto, and numbers that are no strings.
  EXPECT_THAT(json, HasSubstr("\"bundle_version\": \"v7\""));
  EXPECT_THAT(json, HasSubstr("\"events\": 46467212"));
  EXPECT_THAT(Text(folder / "report.html"), HasSubstr("v7"));
}

TEST(FillIndexReportTest, TrialsKeepTheirOrder) {
  BuiltIndex built;
  built.trials = {{.k = 10,
                   .effort = {4, 40},
                   .overlap = 0.75,
                   .microseconds_per_query = 12.5},
                  {.k = 100, .effort = {6, 40}, .overlap = 0.875}};
  v1::IndexReport report;
  FillIndexReport(built, report);
  ASSERT_EQ(report.trials_size(), 2);
  EXPECT_EQ(report.trials(0).nprobe(), 4);
  EXPECT_EQ(report.trials(0).k_factor(), 40);
  EXPECT_EQ(report.trials(0).overlap(), 0.75);
  EXPECT_EQ(report.trials(0).microseconds_per_query(), 12.5);
  EXPECT_EQ(report.trials(0).k(), 10);
  EXPECT_EQ(report.trials(1).nprobe(), 6);
}

TEST(WriteReportTest, MissingFolderIsAnErrorWithItsPath) {
  const TempFolder folder;
  const absl::Status status = WriteReport(v1::Report(), folder / "nowhere");
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(status.message(), HasSubstr("nowhere"));
}

}  // namespace
}  // namespace segue
