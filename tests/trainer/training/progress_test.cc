#include "trainer/training/progress.h"

#include <string>

#include "core/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/temp_folder.h"

namespace segue {
namespace {

using segue::testing::TempFolder;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

constexpr char kTime[] = "....-..-..T..:..:..Z ";

TEST(ProgressTest, LinesGoToStderrAndWithTheirTimeToTheLog) {
  const TempFolder folder;
  const std::string path = folder / "train.log";
  ::testing::internal::CaptureStderr();
  {
    Progress progress(path);
    progress.Line("epoch 1");
    // Whoever follows the log sees it now, not when the run ends.
    EXPECT_THAT(ReadFile(path, 1000).value(),
                MatchesRegex(std::string(kTime) + "epoch 1\n"));
  }
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              MatchesRegex("..:..:.. epoch 1\n"));
}

TEST(ProgressTest, AResumedRunAppendsToTheLog) {
  const TempFolder folder;
  const std::string path = folder / "train.log";
  Progress(path).Line("first");
  Progress(path).Line("second");
  EXPECT_THAT(
      ReadFile(path, 1000).value(),
      MatchesRegex(std::string(kTime) + "first\n" + kTime + "second\n"));
}

TEST(ProgressTest, ALogThatCannotBeOpenedIsDoneWithout) {
  ::testing::internal::CaptureStderr();
  Progress("/nowhere/train.log").Line("still here");
  Progress("").Line("here too");
  const std::string written = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(written, HasSubstr("still here\n"));
  EXPECT_THAT(written, HasSubstr("here too\n"));
}

// A log of a bar redrawn a thousand times a second is of no use.
TEST(ProgressTest, BarDoesNotFloodWhatIsNoTerminal) {
  const TempFolder folder;
  const std::string path = folder / "train.log";
  Progress progress(path);
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 1000; ++i) progress.Bar("epoch 1/2", i, 1000, "loss 1");
  EXPECT_EQ(ReadFile(path, 1000).value(), "");
  ::testing::internal::GetCapturedStderr();
}

}  // namespace
}  // namespace segue
