#include "server/base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace segue {
namespace {

using ::testing::MatchesRegex;
using ::testing::internal::CaptureStderr;
using ::testing::internal::GetCapturedStderr;

class LogTest : public ::testing::Test {
 protected:
  ~LogTest() override {
    SetLogFormat(DefaultLogFormat());
    SetLeastLogLevel(LogLevel::kInfo);
  }
};

TEST_F(LogTest, ALineHasTimeLevelAndText) {
  CaptureStderr();
  SetLogFormat(LogFormat::kText);
  LogInfo("one");
  LogWarning("two", {{"n", 2}});
  LogError("three");
  const std::string time = "....-..-..T..:..:..\\....Z";
  EXPECT_THAT(GetCapturedStderr(),
              MatchesRegex(time + " INFO one\n" + time + " WARNING two n=2\n" +
                           time + " ERROR three\n"));
}

TEST_F(LogTest, WithoutATerminalALineIsAJsonObject) {
  CaptureStderr();
  SetLogFormat(DefaultLogFormat());
  LogInfo("one", {{"n", 1}});
  EXPECT_THAT(GetCapturedStderr(),
              MatchesRegex("\\{\"time\":\"[^\"]*\",\"level\":\"INFO\","
                           "\"message\":\"one\",\"n\":1\\}\n"));
}

TEST_F(LogTest, WhatIsBelowTheLeastLevelIsNotLogged) {
  CaptureStderr();
  SetLogFormat(LogFormat::kText);
  SetLeastLogLevel(LogLevel::kError);
  LogWarning("two");
  EXPECT_TRUE(TryLog(LogLevel::kWarning, "two"));
  EXPECT_EQ(GetCapturedStderr(), "");
}

// stderr is a pipe that nobody reads, as full as it gets.
class StuckLogTest : public LogTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(::pipe2(pipe_, O_NONBLOCK), 0);
    const std::string page(4096, 'x');
    while (::write(pipe_[1], page.data(), page.size()) > 0) {
    }
    stderr_ = ::dup(STDERR_FILENO);
    ASSERT_EQ(::dup2(pipe_[1], STDERR_FILENO), STDERR_FILENO);
  }
  void TearDown() override {
    ::dup2(stderr_, STDERR_FILENO);
    for (const int descriptor : {pipe_[0], pipe_[1], stderr_}) {
      ::close(descriptor);
    }
  }
  int pipe_[2];
  int stderr_ = -1;
};

TEST_F(StuckLogTest, TryLogLeavesTheLineOutAndSaysSo) {
  EXPECT_FALSE(TryLog(LogLevel::kError, "one"));
  std::string page(4096, ' ');
  ASSERT_EQ(::read(pipe_[0], page.data(), page.size()), 4096);
  EXPECT_TRUE(TryLog(LogLevel::kError, "two"));
}

}  // namespace
}  // namespace segue
