// A training that was stopped, or killed, ends where an uninterrupted one does.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/segue_binaries.h"
#include "tests/testing/temp_folder.h"

namespace segue::testing {
namespace {

using ::testing::HasSubstr;

class ResumeTest : public ::testing::Test {
 protected:
  // The hash that an uninterrupted training gives.
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TempFolder>();
    ASSERT_EQ(MakeData(folder_->path()).code, 0);
    const Finished trained = RunTrainer(Arguments("straight"), folder_->path());
    ASSERT_EQ(trained.code, 0) << trained.errors;
    hash_ = ContentHash(*folder_ / "straight_bundles", folder_->path());
    ASSERT_EQ(hash_.size(), 64);
  }
  static void TearDownTestSuite() { folder_.reset(); }

  static std::vector<std::string> Arguments(const std::string& run) {
    std::vector<std::string> arguments = TrainArguments(folder_->path(), run);
    arguments.insert(arguments.end(),
                     {"--set", "bundle_root=" + (*folder_ / run) + "_bundles",
                      "--set", "training.epochs=6"});
    return arguments;
  }

  // A training's first checkpoint is there.
  static bool HasCheckpoint(const std::string& run) {
    std::error_code ignored;
    for (std::filesystem::directory_iterator
             at(*folder_ / run + "/checkpoints", ignored),
         end;
         !ignored && at != end; at.increment(ignored)) {
      if (at->path().extension() == ".ckpt") return true;
    }
    return false;
  }

  // Starts a training and sends `signal` once it has a checkpoint.
  static int Interrupt(const std::string& run, int signal) {
    std::vector<std::string> argv = {SEGUE_TRAINER_BINARY};
    const std::vector<std::string> arguments = Arguments(run);
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    auto process = Process::Start(argv, folder_->path(), run);
    EXPECT_TRUE(process->WaitUntil([&] { return HasCheckpoint(run); }))
        << process->Errors();
    process->Signal(signal);
    return process->Wait();
  }

  static void ExpectSameEndAfterResuming(const std::string& run) {
    EXPECT_FALSE(std::filesystem::exists(*folder_ / run + "_bundles/CURRENT"));
    std::vector<std::string> arguments = Arguments(run);
    arguments.push_back("--resume");
    const Finished resumed = RunTrainer(arguments, folder_->path());
    ASSERT_EQ(resumed.code, 0) << resumed.errors;
    EXPECT_THAT(resumed.errors, HasSubstr("resumed at step"));
    EXPECT_EQ(ContentHash(*folder_ / run + "_bundles", folder_->path()), hash_);
  }

  static std::unique_ptr<TempFolder> folder_;
  static std::string hash_;
};
std::unique_ptr<TempFolder> ResumeTest::folder_;
std::string ResumeTest::hash_;

TEST_F(ResumeTest, AfterCtrlCTheSameBundleComesOut) {
  EXPECT_EQ(Interrupt("stopped", SIGINT), 130);
  ExpectSameEndAfterResuming("stopped");
}

TEST_F(ResumeTest, AfterAKillTheSameBundleComesOut) {
  EXPECT_EQ(Interrupt("killed", SIGKILL), -SIGKILL);
  ExpectSameEndAfterResuming("killed");
}

TEST_F(ResumeTest, AnotherConfigurationIsRefused) {
  std::vector<std::string> arguments = Arguments("straight");
  arguments.insert(arguments.end(),
                   {"--resume", "--set", "training.learning_rate=0.5"});
  const Finished refused = RunTrainer(arguments, folder_->path());
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.errors, HasSubstr("another configuration"));
}

}  // namespace
}  // namespace segue::testing
