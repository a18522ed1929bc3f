// A version that is tried beside the live one.
#include <filesystem>
#include <memory>
#include <string>

#include "core/base/file.h"
#include "core/bundle/layout.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/lifecycle/bundle_commands.h"
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

// More than a tiny bundle takes, less than the process has.
constexpr uint64_t kTight = uint64_t{32} << 20;

// The first version serves and is pinned, CURRENT names the second.
class ShadowTest : public BundleManagerTest {
 protected:
  void SetUp() override {
    first_ = Publish({.prefix = "a"});
    Manage({.state_file = temp_ / "state",
            .command_timeout = std::chrono::milliseconds(0)});
    ASSERT_EQ(manager_->Step(), StepResult::kPublished);
    ASSERT_THAT(commands_->Pin(first_), IsOk());
    second_ = Publish({.prefix = "b"});
  }
  void NameCurrent(const std::string& version) {
    ASSERT_THAT(WriteFileAtomically(root_ + "/CURRENT", version + "\n"),
                IsOk());
  }
  std::string Held() const { return VersionOf(holder_.previous()); }
  std::string Shadow() const { return VersionOf(holder_.shadow()); }
  std::string Pinned() { return manager_->state().Get().pinned_version(); }

  std::string first_, second_;
};

TEST_F(ShadowTest, IsHeldAndDoesNotServe) {
  ASSERT_THAT(commands_->Shadow(second_, .05), IsOk());
  EXPECT_EQ(LiveVersion(), first_);
  EXPECT_EQ(Shadow(), second_);
  EXPECT_EQ(VersionOf(holder_.Get(second_)), second_);
  EXPECT_EQ(shadow_, second_);
  EXPECT_EQ(share_, .05);
  EXPECT_EQ(manager_->Step(), StepResult::kUnchanged);
  EXPECT_THAT(published_, ElementsAre(first_));
  EXPECT_EQ(AllReloads(), 1);
}

TEST_F(ShadowTest, ItsShareIsChangedWithoutLoadingItAnew) {
  ASSERT_THAT(commands_->Shadow(second_, 0), IsOk());
  const auto loaded = holder_.shadow();
  ASSERT_THAT(commands_->Shadow(second_, 1), IsOk());
  EXPECT_EQ(holder_.shadow(), loaded);
  EXPECT_EQ(share_, 1);
}

TEST_F(ShadowTest, AnotherTakesItsPlace) {
  ASSERT_THAT(commands_->Shadow(second_, .05), IsOk());
  const std::weak_ptr<const ServingSnapshot> before = holder_.shadow();
  const std::string third = Publish({.prefix = "c"});
  ASSERT_THAT(commands_->Shadow(third, .1), IsOk());
  EXPECT_EQ(Shadow(), third);
  EXPECT_EQ(shadow_, third);
  EXPECT_TRUE(before.expired());
}

TEST_F(ShadowTest, ACorruptOneLeavesEverythingAsItWas) {
  ASSERT_THAT(commands_->Shadow(second_, .05), IsOk());
  const std::string bad = PublishCorrupt("c");
  EXPECT_THAT(commands_->Shadow(bad, 1),
              StatusIs(absl::StatusCode::kDataLoss, _));
  EXPECT_EQ(LiveVersion(), first_);
  EXPECT_EQ(Shadow(), second_);
  EXPECT_EQ(shadow_, second_);
  EXPECT_EQ(share_, .05);
  EXPECT_THAT(manager_->last_error(), IsOk());
  EXPECT_EQ(AllReloads(), 1);
}

TEST_F(ShadowTest, OneThatDoesNotWarmUpIsRefused) {
  const std::string bad = Publish(
      {.prefix = "c", .before_seal = [](const std::string& folder) {
         ASSERT_THAT(WriteFileAtomically(folder + "/" + layout::kGoldenRequests,
                                         R"({"requests": [{"userFeatures":
                                     [{"name": "mood"}]}]})"),
                     IsOk());
       }});
  EXPECT_THAT(commands_->Shadow(bad, 1),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("mood")));
  EXPECT_EQ(Shadow(), "");
  EXPECT_EQ(LiveVersion(), first_);
}

TEST_F(ShadowTest, IsPromotedWithoutItsFilesAndTheLiveOneIsHeld) {
  ASSERT_THAT(commands_->Shadow(second_, .05), IsOk());
  fs::remove(FolderOf(second_) + "/" + layout::kIndex);
  EXPECT_THAT(commands_->Promote(), IsOk());
  EXPECT_EQ(LiveVersion(), second_);
  EXPECT_EQ(Held(), first_);
  EXPECT_EQ(Shadow(), "");
  EXPECT_EQ(shadow_, "");
  EXPECT_THAT(published_, ElementsAre(first_, second_));
  EXPECT_EQ(manager_->Step(), StepResult::kUnchanged);
  EXPECT_EQ(manager_->state().Get().highest_version(), second_);
  EXPECT_THAT(commands_->Rollback(), IsOk());
  EXPECT_EQ(LiveVersion(), first_);
}

TEST_F(ShadowTest, PromotedItIsPinnedOnlyWhereCurrentDoesNotLeadToIt) {
  ASSERT_THAT(commands_->Shadow(second_, .05), IsOk());
  ASSERT_THAT(commands_->Promote(), IsOk());
  EXPECT_EQ(Pinned(), "");

  ASSERT_THAT(commands_->Pin(second_), IsOk());
  const std::string third = Publish({.prefix = "c"});
  Publish({.prefix = "d"});
  ASSERT_THAT(commands_->Shadow(third, .05), IsOk());
  ASSERT_THAT(commands_->Promote(), IsOk());
  EXPECT_EQ(LiveVersion(), third);
  EXPECT_EQ(Pinned(), third);
}

TEST_F(ShadowTest, PromotedItIsPinnedWhereItIsDenied) {
  ASSERT_THAT(commands_->Deny(second_), IsOk());
  ASSERT_THAT(commands_->Shadow(second_, .05), IsOk());
  ASSERT_THAT(commands_->Promote(), IsOk());
  EXPECT_EQ(LiveVersion(), second_);
  EXPECT_EQ(Pinned(), second_);
}

TEST_F(ShadowTest, GoesLiveFromMemoryWhereCurrentMovesToIt) {
  NameCurrent(first_);
  ASSERT_THAT(commands_->Unpin(), IsOk());
  ASSERT_THAT(commands_->Shadow(second_, .05), IsOk());
  fs::remove(FolderOf(second_) + "/" + layout::kIndex);
  NameCurrent(second_);
  EXPECT_EQ(manager_->Step(), StepResult::kPublished);
  EXPECT_EQ(LiveVersion(), second_);
  EXPECT_EQ(Shadow(), "");
  EXPECT_EQ(Held(), first_);
  EXPECT_EQ(AllReloads(), 1);
}

TEST_F(ShadowTest, StaysWhereAThirdVersionGoesLive) {
  ASSERT_THAT(commands_->Shadow(second_, .05), IsOk());
  const std::string third = Publish({.prefix = "c"});
  ASSERT_THAT(commands_->Unpin(), IsOk());
  EXPECT_EQ(LiveVersion(), third);
  EXPECT_EQ(Shadow(), second_);
}

TEST_F(ShadowTest, DiscardedItLeavesMemoryOnceItIsNotUsed) {
  ASSERT_THAT(commands_->Shadow(second_, .05), IsOk());
  auto request = holder_.Get(second_);
  const std::weak_ptr<const ServingSnapshot> snapshot = request;
  EXPECT_THAT(commands_->Discard(), IsOk());
  EXPECT_EQ(shadow_, "");
  EXPECT_EQ(holder_.Get(second_), nullptr);
  EXPECT_EQ(LiveVersion(), first_);
  // Nothing more is loaded meanwhile.
  EXPECT_THAT(commands_->Shadow(second_, .05),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("still use")));
  request.reset();
  EXPECT_FALSE(snapshot.expired());
  EXPECT_EQ(manager_->Step(), StepResult::kUnchanged);
  EXPECT_TRUE(snapshot.expired());
  EXPECT_THAT(commands_->Shadow(second_, .05), IsOk());
}

TEST_F(ShadowTest, TheHeldVersionBecomesItFromMemory) {
  ASSERT_THAT(commands_->Unpin(), IsOk());
  ASSERT_THAT(commands_->Rollback(), IsOk());
  ASSERT_EQ(Held(), second_);
  fs::remove(FolderOf(second_) + "/" + layout::kIndex);
  EXPECT_THAT(commands_->Shadow(second_, .05), IsOk());
  EXPECT_EQ(Shadow(), second_);
  EXPECT_EQ(Held(), "");
}

TEST_F(ShadowTest, WhatCannotBeOneIsSaid) {
  EXPECT_THAT(commands_->Shadow(first_, .05),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("serves already")));
  EXPECT_THAT(commands_->Shadow("20260131T235959Z-0123456789ab", .05),
              StatusIs(absl::StatusCode::kNotFound, _));
  EXPECT_THAT(commands_->Promote(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("no shadow to promote")));
  EXPECT_THAT(commands_->Discard(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("no shadow to discard")));
  EXPECT_EQ(Pinned(), first_);
}

TEST_F(BundleManagerTest, WhereNothingServesThereIsNoShadow) {
  const std::string version = Publish({});
  Manage();
  EXPECT_THAT(commands_->Shadow(version, .05),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("nothing serves")));
}

TEST_F(ShadowTest, WhereMemoryIsTightTheHeldVersionGoesAndNeverTheLiveOne) {
  ASSERT_THAT(commands_->Unpin(), IsOk());
  ASSERT_EQ(Held(), first_);
  const std::string third = Publish({.prefix = "c"});
  Manage({.max_memory_bytes = kTight, .unload_first = true});
  EXPECT_THAT(commands_->Shadow(third, .05),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("max_memory_bytes")));
  EXPECT_EQ(Shadow(), "");
  EXPECT_EQ(Held(), "");
  EXPECT_EQ(LiveVersion(), second_);
}

TEST_F(ShadowTest, OneThatNeverFitsCostsNothing) {
  ASSERT_THAT(commands_->Unpin(), IsOk());
  const std::string third = Publish({.prefix = "c"});
  Manage({.max_memory_bytes = 1});
  EXPECT_THAT(commands_->Shadow(third, .05),
              StatusIs(absl::StatusCode::kResourceExhausted, _));
  EXPECT_EQ(Held(), first_);
}

TEST_F(ShadowTest, WhereMemoryIsTightItGoesBeforeTheLiveOne) {
  ASSERT_THAT(commands_->Shadow(second_, .05), IsOk());
  Publish({.prefix = "c"});
  Manage({.max_memory_bytes = kTight});
  EXPECT_EQ(manager_->Step(), StepResult::kFailed);
  EXPECT_EQ(Reloads("over_memory"), 1);
  EXPECT_EQ(Shadow(), "");
  EXPECT_EQ(LiveVersion(), first_);
}

}  // namespace
}  // namespace segue
