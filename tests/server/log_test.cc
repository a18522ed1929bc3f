#include "server/log.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace segue {
namespace {

using ::testing::MatchesRegex;

TEST(LogTest, ALineHasTimeLevelAndText) {
  ::testing::internal::CaptureStderr();
  LogInfo("one");
  LogWarning("two");
  LogError("three");
  const char* time = "....-..-..T..:..:..\\....Z";
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              MatchesRegex(std::string(time) + " INFO one\n" + time +
                           " WARNING two\n" + time + " ERROR three\n"));
}

}  // namespace
}  // namespace segue
