// Test 7: what nobody has signed whom the server trusts does not serve,
// whoever wrote it into the bundle root.
#include <filesystem>
#include <string>

#include "core/base/file.h"
#include "core/base/signature.h"
#include "core/bundle/layout.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/lifecycle/bundle_manager_fixture.h"
#include "tests/testing/signing_keys.h"

namespace segue {
namespace {

using segue::testing::BundleManagerTest;
using segue::testing::IsOk;
using segue::testing::KeyFiles;
using segue::testing::PublicPem;
using segue::testing::StatusIs;
using ::testing::_;
using ::testing::AllOf;
using ::testing::HasSubstr;
using StepResult = BundleManager::StepResult;

class TrustedKeysTest : public BundleManagerTest {
 protected:
  // A signed version serves.
  void SetUp() override {
    live_ = Publish({.prefix = "live", .signing_key_file = keys_.first});
    Manage({.trusted_keys_file = keys_.trusted, .hold_previous = false});
    ASSERT_EQ(manager_->Step(), StepResult::kPublished);
    ASSERT_EQ(LiveVersion(), live_);
  }

  const KeyFiles keys_;
  std::string live_;
};

TEST_F(TrustedKeysTest, WhatIsNotSignedLeavesTheOldOneLiveAndIsCounted) {
  const std::string version = Publish({.prefix = "unsigned"});
  EXPECT_EQ(manager_->Step(), StepResult::kFailed);
  EXPECT_EQ(LiveVersion(), live_);
  EXPECT_EQ(Reloads("untrusted"), 1);
  EXPECT_THAT(manager_->last_error(),
              StatusIs(absl::StatusCode::kUnauthenticated,
                       AllOf(HasSubstr(version), HasSubstr("is not signed"))));
}

// By another hand than the publisher's, which may take its time.
TEST_F(TrustedKeysTest, WhatIsSignedAfterwardsServesAtTheNextPoll) {
  const std::string version = Publish({.prefix = "b"});
  for (int poll = 1; poll <= 5; ++poll) {
    EXPECT_EQ(manager_->Step(), StepResult::kFailed);
    EXPECT_EQ(Reloads("untrusted"), poll);
  }
  const auto json = ReadFile(FolderOf(version) + "/MANIFEST.json", 1 << 20);
  ASSERT_THAT(json, IsOk());
  KeyFiles::Write(FolderOf(version) + "/MANIFEST.sig",
                  SigningKey::Read(keys_.first)->Sign(*json).value());
  EXPECT_EQ(manager_->Step(), StepResult::kPublished);
  EXPECT_EQ(LiveVersion(), version);
}

TEST_F(TrustedKeysTest, NoCommandServesWhatIsNotSigned) {
  const std::string version =
      Publish({.prefix = "b", .signing_key_file = keys_.second});
  EXPECT_THAT(commands_->Pin(version),
              StatusIs(absl::StatusCode::kUnauthenticated, _));
  EXPECT_THAT(manager_->LoadShadow(version, /*share=*/1),
              StatusIs(absl::StatusCode::kUnauthenticated, _));
  EXPECT_EQ(LiveVersion(), live_);
}

// The server goes on all the while.
TEST_F(TrustedKeysTest, KeysRotate) {
  const auto publish = [&](const std::string& prefix, const std::string& key) {
    return Publish({.prefix = prefix, .signing_key_file = key});
  };
  publish("b", keys_.second);
  EXPECT_EQ(manager_->Step(), StepResult::kFailed);
  keys_.Trust(PublicPem(testing::kFirstKeys) + PublicPem(testing::kSecondKeys));
  EXPECT_EQ(manager_->Step(), StepResult::kPublished);
  publish("c", keys_.first);
  EXPECT_EQ(manager_->Step(), StepResult::kPublished);
  keys_.Trust(PublicPem(testing::kSecondKeys));
  const std::string last = LiveVersion();
  publish("d", keys_.first);
  EXPECT_EQ(manager_->Step(), StepResult::kFailed);
  EXPECT_EQ(LiveVersion(), last);
  EXPECT_EQ(Reloads("untrusted"), 2);
}

TEST_F(TrustedKeysTest, AnOldSignedVersionDoesNotComeBack) {
  const std::string second =
      Publish({.prefix = "b", .signing_key_file = keys_.first});
  ASSERT_EQ(manager_->Step(), StepResult::kPublished);
  ASSERT_THAT(WriteFileAtomically(root_ + "/CURRENT", live_ + "\n"), IsOk());
  EXPECT_EQ(manager_->Step(), StepResult::kFailed);
  EXPECT_EQ(Reloads("not_allowed"), 1);
  // Under a newer name neither: the name is signed, too.
  const std::string renamed = "2999" + live_.substr(4);
  std::filesystem::copy(FolderOf(live_), FolderOf(renamed));
  ASSERT_THAT(WriteFileAtomically(root_ + "/CURRENT", renamed + "\n"), IsOk());
  EXPECT_EQ(manager_->Step(), StepResult::kFailed);
  EXPECT_EQ(Reloads("corrupt"), 1);
  EXPECT_EQ(LiveVersion(), second);
}

TEST_F(TrustedKeysTest, KeysThatBreakLetNothingPassUntilTheyAreMended) {
  const std::string version =
      Publish({.prefix = "b", .signing_key_file = keys_.first});
  std::filesystem::remove(keys_.trusted);
  for (int poll = 1; poll <= 5; ++poll) {
    EXPECT_EQ(manager_->Step(), StepResult::kFailed);
    EXPECT_EQ(Reloads("untrusted"), poll);
  }
  EXPECT_THAT(std::string(manager_->last_error().message()),
              AllOf(HasSubstr("trusted_keys_file"), HasSubstr(keys_.trusted)));
  keys_.Trust(PublicPem(testing::kFirstKeys));
  EXPECT_EQ(manager_->Step(), StepResult::kPublished);
  EXPECT_EQ(LiveVersion(), version);
}

// What served before a restart, and what made room for another one, is asked
// like any other.
TEST_F(TrustedKeysTest, NothingStandsInThatIsNotTrusted) {
  const auto restart = [&] {
    const auto live = holder_.Unload();
    Manage({.trusted_keys_file = keys_.trusted,
            .hold_previous = false,
            .state_file = temp_ / "state"});
  };
  restart();
  ASSERT_EQ(manager_->Step(), StepResult::kPublished);
  Publish({.prefix = "unsigned"});
  for (const bool trusted : {false, true}) {
    keys_.Trust(
        PublicPem(trusted ? testing::kFirstKeys : testing::kSecondKeys));
    restart();
    EXPECT_EQ(manager_->Step(), StepResult::kFailed);
    EXPECT_EQ(LiveVersion(), trusted ? live_ : "");
  }
}

TEST_F(TrustedKeysTest, WhatMadeRoomInVainComesBackIfItIsTrusted) {
  Publish({.prefix = "b", .signing_key_file = keys_.second});
  const std::string second = PublicPem(testing::kSecondKeys);
  for (const bool trusted : {true, false}) {
    keys_.Trust(trusted ? second + PublicPem(testing::kFirstKeys) : second);
    // More than the bundle takes, less than the process has.
    Manage({.trusted_keys_file = keys_.trusted,
            .max_memory_bytes = uint64_t{32} << 20,
            .unload_first = true,
            .hold_previous = false});
    ASSERT_EQ(LiveVersion(), live_);
    EXPECT_EQ(manager_->Step(), StepResult::kFailed);
    EXPECT_EQ(LiveVersion(), trusted ? live_ : "");
  }
}

TEST_F(TrustedKeysTest, WithoutKeysNoServerStarts) {
  keys_.Trust("no key");
  EXPECT_THAT(BundleManager::Create(
                  {.bundle_root = root_, .trusted_keys_file = keys_.trusted},
                  holder_, metrics_, [](const ServingSnapshot*) {})
                  .status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("trusted_keys_file"),
                             HasSubstr(keys_.trusted))));
}

}  // namespace
}  // namespace segue
