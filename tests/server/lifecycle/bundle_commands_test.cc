// Pins, denials and rollbacks.
#include "server/lifecycle/bundle_commands.h"

#include <filesystem>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/lifecycle/bundle_manager_fixture.h"

namespace segue {
namespace {

namespace fs = std::filesystem;
using segue::testing::BundleManagerTest;
using segue::testing::IsOk;
using segue::testing::StatusIs;
using ::testing::_;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using StepResult = BundleManager::StepResult;

// The version before stays in memory.
class HeldVersionTest : public BundleManagerTest {
 protected:
  void SetUp() override {
    first_ = Publish({.prefix = "a"});
    Manage({.state_file = temp_ / "state"});
    ASSERT_EQ(manager_->Step(), StepResult::kPublished);
    second_ = Publish({.prefix = "b"});
    ASSERT_EQ(manager_->Step(), StepResult::kPublished);
  }
  std::string PreviousVersion() const {
    const auto previous = holder_.previous();
    return previous == nullptr ? "" : previous->version;
  }

  std::string first_, second_;
};

TEST_F(HeldVersionTest, IsFoundByItsName) {
  EXPECT_EQ(PreviousVersion(), first_);
  EXPECT_EQ(holder_.Get(first_)->version, first_);
  EXPECT_EQ(holder_.Get(second_)->version, second_);
  EXPECT_EQ(holder_.Get("another"), nullptr);
}

TEST_F(HeldVersionTest, ServesAfterARollbackWithoutItsFiles) {
  fs::remove_all(FolderOf(first_));
  EXPECT_THAT(commands_->Rollback(), IsOk());
  EXPECT_EQ(LiveVersion(), first_);
  EXPECT_EQ(PreviousVersion(), second_);
  EXPECT_EQ(manager_->Step(), StepResult::kUnchanged);
  EXPECT_EQ(manager_->state().Get().pinned_version(), first_);
  EXPECT_THAT(manager_->state().Get().denied_versions(), ElementsAre(second_));
}

TEST_F(HeldVersionTest, ComesBeforeNewerOnesThatNeverServed) {
  PublishCorrupt("c");
  EXPECT_EQ(manager_->Step(), StepResult::kFailed);
  Publish({.prefix = "d"});
  ASSERT_EQ(manager_->Step(), StepResult::kPublished);
  EXPECT_THAT(commands_->Rollback(), IsOk());
  EXPECT_EQ(LiveVersion(), second_);
}

TEST_F(HeldVersionTest, ASecondRollbackDoesNotGoForward) {
  ASSERT_THAT(commands_->Rollback(), IsOk());
  EXPECT_THAT(commands_->Rollback(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("no version before " + first_)));
  EXPECT_EQ(LiveVersion(), first_);
}

TEST_F(HeldVersionTest, AfterStopACommandChangesNothing) {
  manager_->Stop();
  EXPECT_THAT(commands_->Rollback(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("stopping")));
  EXPECT_EQ(LiveVersion(), second_);
  EXPECT_EQ(manager_->state().Get().pinned_version(), "");
  EXPECT_EQ(manager_->state().Get().highest_version(), second_);
}

TEST_F(HeldVersionTest, APinAheadOfCurrentIsLeftAgain) {
  const std::string third = Publish({.prefix = "c"});
  ASSERT_THAT(WriteFileAtomically(root_ + "/CURRENT", second_ + "\n"), IsOk());
  ASSERT_THAT(commands_->Pin(third), IsOk());
  EXPECT_EQ(LiveVersion(), third);
  ASSERT_THAT(commands_->Unpin(), IsOk());
  EXPECT_EQ(LiveVersion(), second_);
}

TEST_F(HeldVersionTest, WhatCannotBeRememberedIsFollowedAndSaid) {
  fs::remove(temp_ / "state");
  fs::create_directory(temp_ / "state");
  const absl::Status done = commands_->Rollback();
  EXPECT_FALSE(done.ok());
  EXPECT_THAT(std::string(done.message()),
              HasSubstr("it is followed, but not"));
  EXPECT_EQ(LiveVersion(), first_);
}

TEST_F(HeldVersionTest, GoesOnceTheNextOneIsVerified) {
  const std::string third = PublishCorrupt("c");
  EXPECT_EQ(manager_->Step(), StepResult::kFailed);
  EXPECT_EQ(PreviousVersion(), first_);
  const std::string fourth = Publish({.prefix = "d"});
  EXPECT_EQ(manager_->Step(), StepResult::kPublished);
  EXPECT_EQ(LiveVersion(), fourth);
  EXPECT_EQ(PreviousVersion(), second_);
}

TEST_F(HeldVersionTest, InUseItIsWaitedFor) {
  auto request = holder_.Get(first_);
  const std::string third = Publish({.prefix = "c"});
  EXPECT_EQ(manager_->Step(), StepResult::kBusy);
  EXPECT_EQ(LiveVersion(), second_);
  request.reset();
  EXPECT_EQ(manager_->Step(), StepResult::kPublished);
  EXPECT_EQ(LiveVersion(), third);
}

TEST_F(HeldVersionTest, WhatWasRolledBackStaysDeniedAfterARestart) {
  ASSERT_THAT(commands_->Rollback(), IsOk());
  manager_.reset();
  SnapshotHolder fresh;
  const auto restarted = BundleManager::Create(
      {.bundle_root = root_, .state_file = temp_ / "state"}, fresh, metrics_,
      [](const ServingSnapshot*) {});
  ASSERT_THAT(restarted, IsOk());
  BundleCommands commands(**restarted, fresh);
  EXPECT_EQ((*restarted)->Step(), StepResult::kPublished);
  EXPECT_EQ(fresh.Get()->version, first_);
  // Without the pin, CURRENT is still the denied one.
  ASSERT_THAT(commands.Unpin(), IsOk());
  EXPECT_EQ(fresh.Get()->version, first_);
  ASSERT_THAT(commands.Allow(second_), IsOk());
  EXPECT_EQ(fresh.Get()->version, second_);
}

TEST_F(HeldVersionTest, APinBeatsWhatIsPublishedLater) {
  ASSERT_THAT(commands_->Pin(second_), IsOk());
  const std::string third = Publish({.prefix = "c"});
  EXPECT_EQ(manager_->Step(), StepResult::kUnchanged);
  EXPECT_EQ(LiveVersion(), second_);
  ASSERT_THAT(commands_->Unpin(), IsOk());
  EXPECT_EQ(LiveVersion(), third);
}

TEST_F(HeldVersionTest, ADeniedVersionGivesWayToTheOneBefore) {
  ASSERT_THAT(commands_->Deny(second_), IsOk());
  EXPECT_EQ(LiveVersion(), first_);
  EXPECT_THAT(manager_->state().Get().denied_versions(), ElementsAre(second_));
}

TEST_F(HeldVersionTest, ACommandThatCannotBeFollowedChangesNothing) {
  const std::string bad = PublishCorrupt("c");
  EXPECT_THAT(commands_->Pin(bad), StatusIs(absl::StatusCode::kDataLoss, _));
  EXPECT_EQ(manager_->state().Get().pinned_version(), "");
  EXPECT_EQ(LiveVersion(), second_);
}

TEST_F(HeldVersionTest, WhatIsNoVersionIsRefusedByItsName) {
  EXPECT_THAT(
      commands_->Pin("../etc"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("../etc")));
  EXPECT_THAT(commands_->Deny("20260131T235959Z-0123456789ab"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("0123456789ab")));
  EXPECT_THAT(commands_->Allow(second_),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("not denied")));
  ASSERT_THAT(commands_->Pin(second_), IsOk());
  EXPECT_THAT(commands_->Deny(second_),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("unpin it first")));
}

TEST_F(BundleManagerTest, WithoutAVersionBeforeThereIsNoRollback) {
  Publish({});
  Manage();
  EXPECT_THAT(commands_->Rollback(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("nothing serves")));
  ASSERT_EQ(manager_->Step(), StepResult::kPublished);
  EXPECT_THAT(commands_->Rollback(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("no version before")));
}

}  // namespace
}  // namespace segue
