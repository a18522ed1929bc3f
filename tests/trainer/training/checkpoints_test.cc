#include "trainer/training/checkpoints.h"

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"

namespace segue {
namespace {

using segue::testing::IsOk;
using segue::testing::TempFolder;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CheckpointsTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_THAT(checkpoints_.CreateFolder(), IsOk()); }

  static void Write(const std::string& path) { std::ofstream(path) << "x"; }
  std::set<std::string> Files() const {
    std::set<std::string> names;
    for (const auto& entry :
         std::filesystem::directory_iterator(folder_ / "checkpoints")) {
      names.insert(entry.path().filename());
    }
    return names;
  }

  const TempFolder folder_;
  const Checkpoints checkpoints_{folder_.path()};
};

TEST_F(CheckpointsTest, NewestIsTheHighestStepAndNotTheLatestFile) {
  for (const int64_t step : {int64_t{9}, int64_t{12345678901}, int64_t{10}}) {
    Write(checkpoints_.StepPath(step));
  }
  EXPECT_THAT(checkpoints_.StepFiles(),
              ElementsAre(checkpoints_.StepPath(12345678901),
                          checkpoints_.StepPath(10), checkpoints_.StepPath(9)));
}

TEST_F(CheckpointsTest, ThereIsNoneInANewRun) {
  EXPECT_THAT(checkpoints_.StepFiles(), IsEmpty());
  EXPECT_THAT(Checkpoints(folder_ / "nowhere").StepFiles(), IsEmpty());
}

TEST_F(CheckpointsTest, HalfWrittenAndBestAreNoSteps) {
  Write(checkpoints_.best_path());
  Write(checkpoints_.StepPath(3) + ".tmp");
  EXPECT_THAT(checkpoints_.StepFiles(), IsEmpty());
}

TEST_F(CheckpointsTest, PruneKeepsTheNewestAndTheBest) {
  Write(checkpoints_.best_path());
  for (const int64_t step : {8, 9, 10, 11}) {
    Write(checkpoints_.StepPath(step));
  }
  checkpoints_.Prune(2);
  EXPECT_THAT(Files(), ElementsAre("best.ckpt", "step-000000000010.ckpt",
                                   "step-000000000011.ckpt"));
  checkpoints_.Prune(5);
  EXPECT_EQ(Files().size(), 3u);
}

TEST_F(CheckpointsTest, PruneNeverRemovesTheLastOne) {
  Write(checkpoints_.StepPath(1));
  Write(checkpoints_.StepPath(2));
  checkpoints_.Prune(0);
  EXPECT_THAT(Files(), ElementsAre("step-000000000002.ckpt"));
  checkpoints_.Prune(-1);
  EXPECT_THAT(Files(), ElementsAre("step-000000000002.ckpt"));
}

TEST_F(CheckpointsTest, ClearRemovesEveryCheckpointAndNothingElse) {
  Write(checkpoints_.best_path());
  Write(checkpoints_.StepPath(1));
  Write(folder_ / "checkpoints/notes.txt");
  checkpoints_.Clear();
  EXPECT_THAT(Files(), ElementsAre("notes.txt"));
  checkpoints_.Clear();  // none left
  EXPECT_THAT(checkpoints_.StepFiles(), IsEmpty());
}

TEST_F(CheckpointsTest, OnlyUnfinishedFilesAreRemovedAsSuch) {
  Write(checkpoints_.best_path());
  Write(checkpoints_.best_path() + ".tmp");
  Write(checkpoints_.StepPath(3));
  Write(checkpoints_.StepPath(4) + ".tmp");
  Write(folder_ / "checkpoints/notes.tmp");
  checkpoints_.RemoveUnfinished();
  EXPECT_THAT(Files(),
              ElementsAre("best.ckpt", "notes.tmp", "step-000000000003.ckpt"));
}

TEST_F(CheckpointsTest, TheFolderMayBeThereAlready) {
  Write(checkpoints_.StepPath(1));
  EXPECT_THAT(checkpoints_.CreateFolder(), IsOk());
  EXPECT_THAT(Files(), ElementsAre("step-000000000001.ckpt"));
}

}  // namespace
}  // namespace segue
