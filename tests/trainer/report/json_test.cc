#include "trainer/report/json.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/message_differencer.h"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/report/full_report.h"

namespace segue {
namespace {

using ::google::protobuf::util::JsonStringToMessage;
using ::google::protobuf::util::MessageDifferencer;
using ::segue::testing::FullReport;
using ::segue::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ReportToJsonTest, IsTheReport) {
  const auto json = ReportToJson(FullReport());
  ASSERT_THAT(json, IsOk());
  v1::Report parsed;
  ASSERT_TRUE(JsonStringToMessage(*json, &parsed).ok()) << *json;
  EXPECT_TRUE(MessageDifferencer::Equals(parsed, FullReport()));
}

// The lines between the one that holds `key` and the bracket that ends it,
// without commas and indentation.
std::vector<std::string> Inside(const std::string& json,
                                const std::string& key) {
  std::vector<std::string> lines = absl::StrSplit(json, '\n');
  for (std::string& line : lines) {
    line = std::string(absl::StripAsciiWhitespace(line));
    if (!line.empty() && line.back() == ',') line.pop_back();
  }
  const auto begin = std::find(lines.begin(), lines.end(), key + ": {");
  if (begin == lines.end()) return {};
  return {begin + 1, std::find(begin, lines.end(), "}")};
}

TEST(ReportToJsonTest, DepthsAreInTheOrderOfNumbers) {
  v1::Report report;
  v1::RankingReport& exact =
      *report.mutable_evaluation()->mutable_test()->mutable_exact();
  for (const char* k : {"1000", "5", "300", "10", "100"}) {
    (*exact.mutable_recall())[k] = 0.5;
    (*exact.mutable_recall_interval())[k].set_low(0.25);
  }
  const auto json = ReportToJson(report);
  ASSERT_THAT(json, IsOk());
  EXPECT_THAT(Inside(*json, "\"recall\""),
              ElementsAre("\"5\": 0.5", "\"10\": 0.5", "\"100\": 0.5",
                          "\"300\": 0.5", "\"1000\": 0.5"));
  // The first entry of several lines.
  EXPECT_THAT(Inside(*json, "\"recall_interval\""),
              ElementsAre("\"5\": {", "\"low\": 0.25", "\"high\": 0"));
  v1::Report parsed;
  ASSERT_TRUE(JsonStringToMessage(*json, &parsed).ok()) << *json;
  EXPECT_TRUE(MessageDifferencer::Equals(parsed, report));
}

TEST(ReportToJsonTest, TextThatLooksLikeADepthStays) {
  v1::Report report;
  report.mutable_evaluation()->add_examples()->mutable_target()->add_display(
      "\"10\": 3,\n\"5\": 4");
  report.mutable_evaluation()->mutable_test()->add_lost_to("10\": {");
  const auto json = ReportToJson(report);
  ASSERT_THAT(json, IsOk());
  v1::Report parsed;
  ASSERT_TRUE(JsonStringToMessage(*json, &parsed).ok()) << *json;
  EXPECT_TRUE(MessageDifferencer::Equals(parsed, report));
}

TEST(MessageToJsonTest, SpacedShowsZerosAndTheOtherDoesNot) {
  v1::Interval interval;
  interval.set_high(2);
  const auto spaced = MessageToJson(interval, /*spaced=*/true);
  ASSERT_THAT(spaced, IsOk());
  EXPECT_THAT(*spaced, HasSubstr("\"low\": 0"));
  const auto compact = MessageToJson(interval, /*spaced=*/false);
  ASSERT_THAT(compact, IsOk());
  EXPECT_EQ(*compact, "{\"high\":2}");
}

}  // namespace
}  // namespace segue
