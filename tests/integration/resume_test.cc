// A training that was stopped, killed or out of room ends where an
// uninterrupted one does.
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/segue_binaries.h"
#include "tests/testing/temp_folder.h"

namespace segue::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;

// Bytes; a checkpoint of these trainings has 1.2 million, other files that they
// write before the last one have a few thousand.
constexpr int kFewest = 100000;
constexpr int kMost = 1000000;

class ResumeTest : public ::testing::Test {
 protected:
  // An uninterrupted training.
  struct Straight {
    std::string hash;
    milliseconds length;
  };

  static void SetUpTestSuite() {
    folder_ = std::make_unique<TempFolder>();
    ASSERT_EQ(MakeData(folder_->path()).code, 0);
    means_ = TrainStraight("straight");
  }
  static void TearDownTestSuite() { folder_.reset(); }

  static Straight TrainStraight(const std::string& run) {
    const auto start = std::chrono::steady_clock::now();
    const Finished trained = RunTrainer(Arguments(run), folder_->path());
    EXPECT_EQ(trained.code, 0) << trained.errors;
    const auto length = std::chrono::duration_cast<milliseconds>(
        std::chrono::steady_clock::now() - start);
    const std::string hash =
        ContentHash(*folder_ / run + "_bundles", folder_->path());
    EXPECT_EQ(hash.size(), 64);
    return {hash, length};
  }

  // Runs whose name begins with "sequences" train a transformer, with all that
  // draws numbers or depends on the step; those with "warm" begin from a
  // bundle.
  static std::vector<std::string> Arguments(const std::string& run) {
    std::vector<std::string> arguments = TrainArguments(folder_->path(), run);
    std::vector<std::string> settings = {
        "bundle_root=" + (*folder_ / run) + "_bundles", "training.epochs=6"};
    if (run.rfind("sequences", 0) == 0) {
      settings.insert(
          settings.end(),
          {"model.encoder.kind=TRANSFORMER", "model.encoder.width=16",
           "model.encoder.dropout=0.3", "model.dropout=0.2",
           "model.learn_temperature=true", "training.gradient_clip=1",
           "training.schedule=COSINE", "training.warmup_steps=20",
           "training.loss.negatives=MIXED",
           "training.loss.uniform_negatives=64",
           "training.checkpoint_minutes=0.004", "training.epochs=4"});
    }
    if (run.rfind("warm", 0) == 0) {
      settings.push_back(
          "training.warm_start_bundle=" + (*folder_ / "straight") + "_bundles");
    }
    for (const std::string& setting : settings) {
      arguments.insert(arguments.end(), {"--set", setting});
    }
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

  // The command, in a shell that runs `before` and sets a limit to the size of
  // files.
  static std::vector<std::string> WithFileLimit(
      int bytes, const std::string& before,
      const std::vector<std::string>& command) {
    std::vector<std::string> argv = {"/bin/sh", "-c",
                                     before + "ulimit -c 0; ulimit -f " +
                                         std::to_string(bytes / 512) +
                                         "; exec \"$@\"",
                                     "sh"};
    argv.insert(argv.end(), command.begin(), command.end());
    return argv;
  }

  static std::vector<std::string> Command(const std::string& run,
                                          bool resume = true) {
    std::vector<std::string> argv = {SEGUE_TRAINER_BINARY};
    const std::vector<std::string> arguments = Arguments(run);
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    if (resume) argv.emplace_back("--resume");
    return argv;
  }

  // Starts a training and sends `signal` once it has a checkpoint.
  static int Interrupt(const std::string& run, int signal) {
    auto process =
        Process::Start(Command(run, /*resume=*/false), folder_->path(), run);
    EXPECT_TRUE(process->WaitUntil([&] { return HasCheckpoint(run); }))
        << process->Errors();
    process->Signal(signal);
    return process->Wait();
  }

  static void ExpectSameEndAfterResuming(const std::string& run,
                                         const std::string& hash) {
    EXPECT_FALSE(std::filesystem::exists(*folder_ / run + "_bundles/CURRENT"));
    auto process = Process::Start(Command(run), folder_->path(), run);
    ASSERT_EQ(process->Wait(), 0) << process->Errors();
    EXPECT_THAT(process->Errors(), HasSubstr("resumed at step"));
    EXPECT_EQ(ContentHash(*folder_ / run + "_bundles", folder_->path()), hash);
  }

  static std::unique_ptr<TempFolder> folder_;
  static Straight means_;
};
std::unique_ptr<TempFolder> ResumeTest::folder_;
ResumeTest::Straight ResumeTest::means_;

TEST_F(ResumeTest, AfterCtrlCTheSameBundleComesOut) {
  EXPECT_EQ(Interrupt("stopped", SIGINT), 130);
  ExpectSameEndAfterResuming("stopped", means_.hash);
}

TEST_F(ResumeTest, AfterAKillTheSameBundleComesOut) {
  EXPECT_EQ(Interrupt("killed", SIGKILL), -SIGKILL);
  ExpectSameEndAfterResuming("killed", means_.hash);
}

// Killed again and again, by turns within the writing of a checkpoint, at a
// drawn byte of it (the system kills who writes beyond a limit), and after a
// drawn time.
TEST_F(ResumeTest, KilledAtRandomMomentsTheSameBundleComesOut) {
  const Straight straight = TrainStraight("sequences");
  const std::string run = "sequences_killed";
  std::mt19937_64 random(20260131);
  const auto draw = [&random](int64_t from, int64_t to) {
    return std::uniform_int_distribution<int64_t>(from, to)(random);
  };
  std::map<int, int> ends;  // by exit code
  for (int kill = 0; kill < 6; ++kill) {
    std::vector<std::string> command = Command(run);
    const bool while_writing = kill % 2 == 0;
    if (while_writing) {
      command =
          WithFileLimit(static_cast<int>(draw(kFewest, kMost)), "", command);
    }
    auto process = Process::Start(command, folder_->path(), run);
    if (!while_writing) {
      process->EndsWithin(milliseconds(draw(0, straight.length.count() / 2)));
      process->Signal(SIGKILL);
    }
    const int code = process->Wait();
    ASSERT_THAT(code, AnyOf(-SIGXFSZ, -SIGKILL, 0)) << process->Errors();
    ++ends[code];
    if (code == 0) break;  // it was done before
  }
  EXPECT_GE(ends[-SIGXFSZ], 1);
  EXPECT_GE(ends[-SIGKILL], 1);
  auto process = Process::Start(Command(run), folder_->path(), run);
  ASSERT_EQ(process->Wait(), 0) << process->Errors();
  EXPECT_EQ(ContentHash(*folder_ / run + "_bundles", folder_->path()),
            straight.hash);
}

TEST_F(ResumeTest, AKilledWarmStartGoesOnFromItsCheckpoint) {
  const Straight straight = TrainStraight("warm");
  EXPECT_NE(straight.hash, means_.hash);
  EXPECT_EQ(Interrupt("warm_killed", SIGKILL), -SIGKILL);
  ExpectSameEndAfterResuming("warm_killed", straight.hash);
}

TEST_F(ResumeTest, AFullDiskIsSaidSoAndTheTrainingGoesOnOnceThereIsRoom) {
  EXPECT_EQ(Interrupt("full", SIGKILL), -SIGKILL);
  const std::vector<std::string> command =
      WithFileLimit(kMost / 2, "trap '' XFSZ; ", Command("full"));
  auto process = Process::Start(command, folder_->path(), "full");
  EXPECT_EQ(process->Wait(), 1);
  EXPECT_THAT(process->Errors(),
              AllOf(HasSubstr("cannot write"), HasSubstr("full/checkpoints"),
                    HasSubstr("File too large"),
                    HasSubstr("the newest checkpoint is")));
  ExpectSameEndAfterResuming("full", means_.hash);
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
