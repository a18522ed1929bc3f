#include "server/lifecycle/bundle_manager.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <semaphore>
#include <string>
#include <utility>

#include "core/base/file.h"
#include "core/bundle/layout.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/lifecycle/bundle_manager_fixture.h"
#include "tests/testing/scoped_descriptor_limit.h"

namespace segue {
namespace {

namespace fs = std::filesystem;
using segue::testing::BundleManagerTest;
using segue::testing::FlipAByte;
using segue::testing::IsOk;
using segue::testing::MetricValues;
using segue::testing::ScopedDescriptorLimit;
using segue::testing::StatusIs;
using ::testing::_;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using StepResult = BundleManager::StepResult;

TEST_F(BundleManagerTest, PublishesWhatCurrentNames) {
  const std::string version = Publish({.items = 7});
  Manage();
  EXPECT_EQ(manager_->Step(), StepResult::kPublished);
  EXPECT_EQ(LiveVersion(), version);
  EXPECT_THAT(published_, ElementsAre(version));
  EXPECT_THAT(manager_->last_error(), IsOk());
  EXPECT_EQ(Reloads("success"), 1);
  const auto values = MetricValues(metrics_.Text());
  EXPECT_EQ(values.at("segue_bundle_info{version=\"" + version + "\"}"), 1);
  EXPECT_EQ(values.at("segue_bundle_items"), 7);
  EXPECT_EQ(values.at("segue_bundle_bytes"),
            static_cast<double>(holder_.Get()->bytes));
}

TEST_F(BundleManagerTest, ASecondStepChangesNothing) {
  Publish({});
  Manage();
  ASSERT_EQ(manager_->Step(), StepResult::kPublished);
  const auto live = holder_.Get();
  EXPECT_EQ(manager_->Step(), StepResult::kUnchanged);
  EXPECT_EQ(holder_.Get(), live);
  EXPECT_EQ(AllReloads(), 1);
  EXPECT_EQ(published_.size(), 1u);
}

TEST_F(BundleManagerTest, ANewVersionReplacesTheOldOne) {
  const std::string old_version = Publish({.prefix = "a"});
  Manage();
  ASSERT_EQ(manager_->Step(), StepResult::kPublished);
  const std::string version = Publish({.prefix = "b"});
  EXPECT_EQ(manager_->Step(), StepResult::kPublished);
  EXPECT_EQ(LiveVersion(), version);
  EXPECT_THAT(published_, ElementsAre(old_version, version));
}

TEST_F(BundleManagerTest, WhereNoProcessorIsIdleABundleIsLoadedAllTheSame) {
  Publish({.prefix = "a"});
  Manage({.hold_previous = false, .idle_loading = {}});
  ASSERT_EQ(manager_->Step(), StepResult::kPublished);
  const std::string version = Publish({.prefix = "b"});
  EXPECT_EQ(manager_->Step(), StepResult::kPublished);
  EXPECT_EQ(LiveVersion(), version);
  PublishCorrupt("c");
  EXPECT_EQ(manager_->Step(), StepResult::kFailed);
  EXPECT_THAT(manager_->last_error(), StatusIs(absl::StatusCode::kDataLoss, _));
}

TEST_F(BundleManagerTest, CurrentDoesNotLeadBack) {
  const std::string first = Publish({.prefix = "a"});
  Manage();
  ASSERT_EQ(manager_->Step(), StepResult::kPublished);
  const std::string second = Publish({.prefix = "b"});
  ASSERT_EQ(manager_->Step(), StepResult::kPublished);
  ASSERT_THAT(WriteFileAtomically(root_ + "/CURRENT", first + "\n"), IsOk());
  EXPECT_EQ(manager_->Step(), StepResult::kFailed);
  EXPECT_EQ(LiveVersion(), second);
  EXPECT_EQ(Reloads("not_allowed"), 1);
  EXPECT_THAT(std::string(manager_->last_error().message()),
              HasSubstr("older than " + second));
}

TEST_F(BundleManagerTest, NothingPublishedIsMissingUntilItIsThere) {
  Manage();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(manager_->Step(), StepResult::kFailed);
  EXPECT_EQ(Reloads("missing"), 3);
  EXPECT_EQ(LiveVersion(), "");
  EXPECT_THAT(manager_->last_error(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(root_)));
  Publish({});
  EXPECT_EQ(manager_->Step(), StepResult::kPublished);
  EXPECT_THAT(manager_->last_error(), IsOk());
}

TEST_F(BundleManagerTest, CurrentThatNamesNoVersionIsCorrupt) {
  const std::string version = Publish({});
  Manage();
  ASSERT_EQ(manager_->Step(), StepResult::kPublished);
  std::ofstream(root_ + "/CURRENT") << "../elsewhere\n";
  EXPECT_EQ(manager_->Step(), StepResult::kFailed);
  EXPECT_EQ(Reloads("corrupt"), 1);
  EXPECT_EQ(LiveVersion(), version);
}

TEST_F(BundleManagerTest, WantOfDescriptorsIsAnErrorOfTheSystem) {
  const std::string version = Publish({});
  Manage();
  {
    const ScopedDescriptorLimit none(0);
    EXPECT_EQ(manager_->Step(), StepResult::kFailed);
  }
  EXPECT_EQ(Reloads("error"), 1);
  EXPECT_THAT(manager_->last_error().message(),
              HasSubstr("Too many open files"));
  EXPECT_EQ(manager_->Step(), StepResult::kPublished);
}

TEST_F(BundleManagerTest, AMissingFolderIsLookedForAtEachStep) {
  Publish({.prefix = "a"});
  Manage();
  ASSERT_EQ(manager_->Step(), StepResult::kPublished);
  const std::string version = Publish({.prefix = "b"});
  fs::rename(FolderOf(version), temp_ / "aside");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(manager_->Step(), StepResult::kFailed);
  EXPECT_EQ(AllReloads(), 6);
  fs::rename(temp_ / "aside", FolderOf(version));
  EXPECT_EQ(manager_->Step(), StepResult::kPublished);
  EXPECT_EQ(LiveVersion(), version);
}

TEST_F(BundleManagerTest, AnEmptiedRootKeepsServingAndRecovers) {
  const std::string version = Publish({});
  Manage();
  ASSERT_EQ(manager_->Step(), StepResult::kPublished);
  fs::rename(root_, temp_ / "aside");
  EXPECT_EQ(manager_->Step(), StepResult::kFailed);
  fs::create_directory(root_);
  EXPECT_EQ(manager_->Step(), StepResult::kFailed);
  EXPECT_EQ(LiveVersion(), version);
  EXPECT_EQ(Reloads("missing"), 2);
  fs::remove(root_);
  fs::rename(temp_ / "aside", root_);
  EXPECT_EQ(manager_->Step(), StepResult::kUnchanged);
  EXPECT_THAT(manager_->last_error(), IsOk());
}

TEST_F(BundleManagerTest, IsBusyWhileTheRetiredSnapshotIsInUse) {
  Publish({.prefix = "a"});
  Manage();
  ASSERT_EQ(manager_->Step(), StepResult::kPublished);
  auto request = holder_.Get();
  const std::string second = Publish({.prefix = "b"});
  ASSERT_EQ(manager_->Step(), StepResult::kPublished);
  EXPECT_EQ(manager_->Step(), StepResult::kUnchanged);

  const std::string third = Publish({.prefix = "c"});
  EXPECT_EQ(manager_->Step(), StepResult::kBusy);
  EXPECT_EQ(manager_->Step(), StepResult::kBusy);
  EXPECT_EQ(LiveVersion(), second);
  EXPECT_EQ(AllReloads(), 2);
  request.reset();
  EXPECT_EQ(manager_->Step(), StepResult::kPublished);
  EXPECT_EQ(LiveVersion(), third);
}

TEST_F(BundleManagerTest, ARetiredSnapshotIsFreedByAStepNotByItsLastUser) {
  Publish({.prefix = "a"});
  Manage();
  ASSERT_EQ(manager_->Step(), StepResult::kPublished);
  auto request = holder_.Get();
  const std::weak_ptr<const ServingSnapshot> retired = request;
  Publish({.prefix = "b"});
  ASSERT_EQ(manager_->Step(), StepResult::kPublished);
  request.reset();
  EXPECT_FALSE(retired.expired());
  EXPECT_EQ(manager_->Step(), StepResult::kUnchanged);
  EXPECT_TRUE(retired.expired());
}

TEST_F(BundleManagerTest, ALimitThatTheBundleKeepsIsNone) {
  Publish({});
  Manage({.max_bundle_bytes = 1 << 20});
  EXPECT_EQ(manager_->Step(), StepResult::kPublished);
}

// The manager's own thread, with a semaphore that counts publications.
class BundleManagerThreadTest : public BundleManagerTest {
 protected:
  void Start(std::chrono::milliseconds poll_interval) {
    auto manager = BundleManager::Create(
        {.bundle_root = root_, .poll_interval = poll_interval}, holder_,
        metrics_, [this](const ServingSnapshot*) { publications_.release(); });
    ASSERT_THAT(manager, IsOk());
    manager_ = *std::move(manager);
    commands_ = std::make_unique<BundleCommands>(*manager_, holder_);
    manager_->Start();
  }

  std::counting_semaphore<> publications_{0};
};

TEST_F(BundleManagerThreadTest, StepsAtOnceAndStopsWithoutWaitingForAPoll) {
  const std::string version = Publish({});
  Start(std::chrono::hours(24));
  publications_.acquire();
  EXPECT_EQ(LiveVersion(), version);
  manager_->Stop();
  manager_->Stop();
}

TEST_F(BundleManagerThreadTest, PollsForWhatIsPublishedLater) {
  Start(std::chrono::milliseconds(1));
  for (const char* prefix : {"a", "b", "c"}) {
    const std::string version = Publish({.prefix = prefix});
    publications_.acquire();
    EXPECT_EQ(LiveVersion(), version);
  }
  manager_.reset();
  Publish({.prefix = "d"});
  EXPECT_FALSE(publications_.try_acquire());
}

TEST_F(BundleManagerThreadTest, ACommandIsFollowedAtOnce) {
  const std::string first = Publish({.prefix = "a"});
  Start(std::chrono::hours(24));
  publications_.acquire();
  const std::string second = Publish({.prefix = "b"});
  EXPECT_THAT(commands_->Pin(second), IsOk());
  EXPECT_EQ(LiveVersion(), second);
  EXPECT_THAT(commands_->Rollback(), IsOk());
  EXPECT_EQ(LiveVersion(), first);
}

TEST_F(BundleManagerThreadTest, AShadowIsLoadedByTheManagersThread) {
  Publish({.prefix = "a"});
  Start(std::chrono::hours(24));
  publications_.acquire();
  const std::string second = Publish({.prefix = "b"});
  EXPECT_THAT(commands_->Shadow(second, .5), IsOk());
  EXPECT_EQ(VersionOf(holder_.shadow()), second);
  EXPECT_THAT(commands_->Promote(), IsOk());
  EXPECT_EQ(LiveVersion(), second);
  manager_->Stop();
  EXPECT_THAT(commands_->Shadow(second, .5),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("stopping")));
}

TEST_F(BundleManagerTest, WhatDoesNotFitIntoMemoryIsRefused) {
  const std::string first = Publish({.prefix = "a"});
  Manage({.max_memory_bytes = 1});
  EXPECT_EQ(manager_->Step(), StepResult::kFailed);
  EXPECT_EQ(Reloads("over_memory"), 1);
  EXPECT_THAT(manager_->last_error(),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("max_memory_bytes is 1")));
  EXPECT_EQ(LiveVersion(), "");
  Manage({.max_memory_bytes = uint64_t{1} << 40});
  EXPECT_EQ(manager_->Step(), StepResult::kPublished);
}

TEST_F(BundleManagerTest, WhatMadeRoomInVainServesAgain) {
  const std::string first = Publish({.prefix = "a"});
  Manage({.hold_previous = false});
  ASSERT_EQ(manager_->Step(), StepResult::kPublished);
  // More than the bundle takes, less than the process has.
  Manage({.max_memory_bytes = uint64_t{32} << 20,
          .unload_first = true,
          .hold_previous = false});
  Publish({.prefix = "b"});
  published_.clear();
  EXPECT_EQ(manager_->Step(), StepResult::kFailed);
  EXPECT_THAT(published_, ElementsAre("", first));
  EXPECT_EQ(LiveVersion(), first);
  // Not again for the same one.
  for (int i = 0; i < 40; ++i) manager_->Step();
  EXPECT_EQ(published_.size(), 2u);
}

// A server that ends, and one that begins, with the same state file.
class RestartedManagerTest : public BundleManagerTest {
 protected:
  void SetUp() override {
    good_ = Publish({.prefix = "a"});
    Restart();
    ASSERT_EQ(manager_->Step(), StepResult::kPublished);
  }
  void Restart() {
    const auto live = holder_.Unload();
    Manage({.hold_previous = false, .state_file = temp_ / "state"});
  }
  std::string good_;
};

TEST_F(RestartedManagerTest, WhatServedLastStandsInForABadVersion) {
  PublishCorrupt("bad");
  Restart();
  EXPECT_EQ(manager_->Step(), StepResult::kFailed);
  EXPECT_EQ(LiveVersion(), good_);
  EXPECT_EQ(published_.back(), good_);
  EXPECT_THAT(manager_->last_error(), StatusIs(absl::StatusCode::kDataLoss, _));
  const std::string next = Publish({.prefix = "b"});
  EXPECT_EQ(manager_->Step(), StepResult::kPublished);
  EXPECT_EQ(LiveVersion(), next);
}

TEST_F(RestartedManagerTest, WhatServedLastStandsInForADamagedCurrent) {
  std::ofstream(root_ + "/CURRENT") << "2026";
  Restart();
  EXPECT_EQ(manager_->Step(), StepResult::kFailed);
  EXPECT_EQ(LiveVersion(), good_);
}

TEST_F(RestartedManagerTest, WhatServedLastIsWaitedForWhereItIsNotThere) {
  fs::rename(root_, temp_ / "away");
  Restart();
  EXPECT_EQ(manager_->Step(), StepResult::kFailed);
  EXPECT_EQ(LiveVersion(), "");
  fs::rename(temp_ / "away", root_);
  fs::remove(root_ + "/CURRENT");
  EXPECT_EQ(manager_->Step(), StepResult::kFailed);
  EXPECT_EQ(LiveVersion(), good_);
}

TEST_F(RestartedManagerTest, NothingStandsInForAPinnedVersion) {
  const std::string pinned = Publish({.prefix = "b"});
  ASSERT_THAT(commands_->Pin(pinned), IsOk());
  FlipAByte(FolderOf(pinned) + "/" + layout::kIndex);
  Restart();
  EXPECT_EQ(manager_->Step(), StepResult::kFailed);
  EXPECT_EQ(LiveVersion(), "");
}

TEST_F(BundleManagerTest, AFileInPlaceOfTheRootIsAMissingOne) {
  std::ofstream(root_) << "no folder";
  Manage();
  EXPECT_EQ(manager_->Step(), StepResult::kFailed);
  EXPECT_EQ(Reloads("missing"), 1);
}

TEST_F(BundleManagerTest, AStateFileThatIsNoneIsSaid) {
  std::ofstream(temp_ / "state") << "what?";
  EXPECT_THAT(BundleManager::Create(
                  {.bundle_root = root_, .state_file = temp_ / "state"},
                  holder_, metrics_, [](const ServingSnapshot*) {}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("state_file")));
}

}  // namespace
}  // namespace segue
