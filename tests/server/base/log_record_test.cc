#include "server/base/log_record.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace segue {
namespace {

using ::testing::Each;
using ::testing::EndsWith;
using ::testing::StartsWith;

const absl::Time kTime = absl::FromUnixMillis(1769903999123);

std::string Line(LogFormat format, absl::string_view message,
                 const std::vector<LogField>& fields = {}) {
  return FormatLogRecord(format, {.time = kTime,
                                  .level = LogLevel::kWarning,
                                  .message = message,
                                  .fields = fields});
}
std::string Text(absl::string_view message,
                 const std::vector<LogField>& fields = {}) {
  const std::string line = Line(LogFormat::kText, message, fields);
  const std::string before = "2026-01-31T23:59:59.123Z WARNING ";
  EXPECT_THAT(line, StartsWith(before));
  EXPECT_THAT(line, EndsWith("\n"));
  return line.substr(before.size(), line.size() - before.size() - 1);
}
// The object that programs read from the line.
google::protobuf::Struct Parsed(const std::string& line) {
  google::protobuf::Struct object;
  const auto parsed =
      google::protobuf::util::JsonStringToMessage(line, &object);
  EXPECT_TRUE(parsed.ok()) << line << parsed.ToString();
  return object;
}

// What breaks lines, terminals and parsers.
std::vector<std::string> HostileTexts() {
  return {"a\n2026-01-31T23:59:59.123Z ERROR forged",
          "\r\n",
          std::string("nul\0nul", 7),
          "\x1b[2J\x7f\x08",
          "c1 \xc2\x85 separators \xe2\x80\xa8\xe2\x80\xa9",
          "latin1 \xe9, lone \x80, cut \xe2\x82",
          "surrogate \xed\xa0\x80, overlong \xc0\x8a",
          "\",\"level\":\"INFO\",\"x\":\"",
          "\\\" x=1 \\",
          "</script>"};
}

TEST(LogRecordTest, ATextLineHasTimeLevelMessageAndFields) {
  EXPECT_EQ(Line(LogFormat::kText, "it is so",
                 {{"version", "v1"}, {"items", 12}, {"share", 0.25}}),
            "2026-01-31T23:59:59.123Z WARNING it is so version=v1 items=12 "
            "share=0.25\n");
}

TEST(LogRecordTest, AJsonLineIsOneObjectOfTheSameInTheSameOrder) {
  EXPECT_EQ(Line(LogFormat::kJson, "it is so",
                 {{"version", "v1"}, {"items", 12}, {"share", 0.25}}),
            "{\"time\":\"2026-01-31T23:59:59.123Z\",\"level\":\"WARNING\","
            "\"message\":\"it is so\",\"version\":\"v1\",\"items\":12,"
            "\"share\":0.25}\n");
}

TEST(LogRecordTest, LargeWholeNumbersKeepTheirDigits) {
  const int64_t most = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(Text("m", {{"n", most}}), "m n=9223372036854775807");
  EXPECT_THAT(Line(LogFormat::kJson, "m", {{"n", most}}),
              EndsWith("\"n\":9223372036854775807}\n"));
}

TEST(LogRecordTest, NumbersThatAreNotFiniteAreNullInJson) {
  for (const double number : {std::numeric_limits<double>::quiet_NaN(),
                              std::numeric_limits<double>::infinity()}) {
    EXPECT_TRUE(Parsed(Line(LogFormat::kJson, "m", {{"n", number}}))
                    .fields()
                    .at("n")
                    .has_null_value());
  }
}

TEST(LogRecordTest, TextThatPeopleReadStaysAsItIs) {
  const std::string path =
      "m\xc3\xbcsli/\xe6\x9b\xb2/\xf0\x9f\x8e\xb5: it's \"x\" \\d";
  EXPECT_EQ(Text(path), path);
  EXPECT_EQ(Parsed(Line(LogFormat::kJson, path))
                .fields()
                .at("message")
                .string_value(),
            path);
}

TEST(LogRecordTest, HostileTextIsOneTextLineOfPrintableCharacters) {
  for (const std::string& text : HostileTexts()) {
    for (const std::string& line : {Text(text), Text("m", {{"v", text}})}) {
      EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 0) << line;
      EXPECT_THAT(line, Each(::testing::AllOf(::testing::Ge(' '),
                                              ::testing::Ne('\x7f'))))
          << line;
    }
  }
}

TEST(LogRecordTest, WhatIsNotPrintableIsEscaped) {
  EXPECT_EQ(Text("a\nb\t\x1b[2J\xff"), "a\\nb\\t\\033[2J\\377");
  EXPECT_EQ(Text("\xc2\x9b \xe2\x80\xa8"), "\\302\\233 \\342\\200\\250");
}

TEST(LogRecordTest, AValueForgesNoOtherField) {
  EXPECT_EQ(Text("m", {{"a", "x b=1"}}), "m a=\"x b=1\"");
  EXPECT_EQ(Text("m", {{"a", "b=1"}}), "m a=\"b=1\"");
  EXPECT_EQ(Text("m", {{"a", "\" b=1"}}), "m a=\"\\\" b=1\"");
  EXPECT_EQ(Text("m", {{"a", "\\\" b=1"}}), "m a=\"\\\\\\\" b=1\"");
  EXPECT_EQ(Text("m", {{"a", ""}}), "m a=\"\"");
}

TEST(LogRecordTest, HostileTextIsOneJsonObjectOnOneLine) {
  for (const std::string& text : HostileTexts()) {
    const std::string line = Line(LogFormat::kJson, text, {{"v", text}});
    EXPECT_EQ(line.find('\n'), line.size() - 1) << line;
    const auto object = Parsed(line);
    EXPECT_EQ(object.fields_size(), 4) << line;
    EXPECT_EQ(object.fields().at("level").string_value(), "WARNING") << line;
    EXPECT_EQ(object.fields().at("message").string_value(),
              object.fields().at("v").string_value());
  }
}

TEST(LogRecordTest, JsonKeepsControlCharactersAndReplacesWhatIsNoUtf8) {
  EXPECT_EQ(Parsed(Line(LogFormat::kJson, "a\n\x1b\xff\xe2\x82z"))
                .fields()
                .at("message")
                .string_value(),
            "a\n\x1b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz");
}

}  // namespace
}  // namespace segue
