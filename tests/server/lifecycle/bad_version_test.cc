// Versions that are refused: what is said and counted of each, and how often
// one is read again.
#include <filesystem>
#include <fstream>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "core/bundle/layout.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/lifecycle/bundle_manager.h"
#include "tests/server/lifecycle/bundle_manager_fixture.h"

namespace segue {
namespace {

namespace fs = std::filesystem;
using segue::testing::BundleManagerTest;
using segue::testing::FlipAByte;
using segue::testing::IsOk;
using segue::testing::MetricValue;
using segue::testing::StatusIs;
using segue::testing::TinyBundleOptions;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using StepResult = BundleManager::StepResult;

// What is published after a good version and is not to replace it.
struct BadVersion {
  const char* name;
  TinyBundleOptions options;
  std::function<void(const std::string& folder)> damage;
  uint64_t max_bundle_bytes = 0;
  const char* outcome;
  const char* said;
};

void PrintTo(const BadVersion& bad, std::ostream* out) { *out << bad.name; }

class BadVersionTest : public BundleManagerTest,
                       public ::testing::WithParamInterface<BadVersion> {};

TEST_P(BadVersionTest, LeavesTheOldOneLiveAndIsCounted) {
  const BadVersion& bad = GetParam();
  const std::string good = Publish({.prefix = "good"});
  Manage({.max_bundle_bytes = bad.max_bundle_bytes, .hold_previous = false});
  ASSERT_EQ(manager_->Step(), StepResult::kPublished);
  const auto live = holder_.Get();

  const std::string version = Publish(bad.options);
  if (bad.damage) bad.damage(FolderOf(version));
  EXPECT_EQ(manager_->Step(), StepResult::kFailed);
  EXPECT_EQ(holder_.Get(), live);
  EXPECT_EQ(Reloads(bad.outcome), 1);
  EXPECT_EQ(AllReloads(), 2);
  EXPECT_THAT(published_, ElementsAre(good));
  EXPECT_THAT(std::string(manager_->last_error().message()),
              AllOf(HasSubstr(version), HasSubstr(bad.said)));
  EXPECT_EQ(MetricValue(metrics_.Text(),
                        "segue_bundle_info{version=\"" + good + "\"}"),
            1);
}

// Nothing that the schema knows.
void AskForAMood(const std::string& folder) {
  std::ofstream(folder + "/" + layout::kGoldenRequests)
      << R"({"requests": [{"userFeatures": [{"name": "mood"}]}]})";
}

std::vector<BadVersion> BadVersions() {
  return {
      {.name = "Corrupt",
       .damage = [](auto& f) { FlipAByte(f + "/" + layout::kIndex); },
       .outcome = "corrupt",
       .said = layout::kIndex},
      {.name = "Truncated",
       .damage =
           [](auto& f) { fs::resize_file(f + "/" + layout::kItemRows, 9); },
       .outcome = "corrupt",
       .said = layout::kItemRows},
      {.name = "FileMissing",
       .damage = [](auto& f) { fs::remove(f + "/" + layout::kQueryTower); },
       .outcome = "corrupt",
       .said = layout::kQueryTower},
      {.name = "NoManifest",
       .damage = [](auto& f) { fs::remove(f + "/" + layout::kManifest); },
       .outcome = "corrupt",
       .said = layout::kManifest},
      {.name = "FolderMissing",
       .damage = [](auto& f) { fs::remove_all(f); },
       .outcome = "missing",
       .said = "no such folder"},
      {.name = "NotTorchScript",
       .options = {.before_seal =
                       [](auto& f) {
                         std::ofstream(f + "/" + layout::kQueryTower) << "no";
                       }},
       .outcome = "corrupt",
       .said = "query tower"},
      {.name = "Incompatible",
       .options = {.edit_content = [](auto& c) { c.set_metric("l2"); }},
       .outcome = "incompatible",
       .said = "l2"},
      {.name = "TooLarge",
       .options = {.items = 400, .prefix = std::string(300, 'i')},
       // Its size is looked at first.
       .damage = [](auto& f) { FlipAByte(f + "/" + layout::kIndex); },
       .max_bundle_bytes = 100000,
       .outcome = "too_large",
       .said = "more than 100000 (max_bundle_bytes)"},
      {.name = "WarmUpFailed",
       .options = {.before_seal = AskForAMood},
       .outcome = "warm_up_failed",
       .said = "mood"},
      {.name = "WrongAnswers",
       .options = {.before_seal =
                       [](auto& f) {
                         std::ofstream(f + "/" + layout::kGoldenAnswers)
                             << R"({"responses": [{"item_ids": ["stranger"],
                                    "scores": [1]}]})";
                       },
                   .extra_file = layout::kGoldenAnswers},
       .outcome = "wrong_answers",
       .said = "overlap 0.0000"},
  };
}

INSTANTIATE_TEST_SUITE_P(Table, BadVersionTest,
                         ::testing::ValuesIn(BadVersions()),
                         [](const auto& info) { return info.param.name; });

class RefusedVersionTest : public BundleManagerTest {};

TEST_F(RefusedVersionTest, ABadVersionIsReadEverMoreRarely) {
  PublishCorrupt("bad");
  Manage();
  std::vector<int> deferred;
  for (int failures = 0; failures < 8; ++failures) {
    int between = 0;
    StepResult result = manager_->Step();
    for (; result == StepResult::kDeferred; result = manager_->Step()) {
      ASSERT_LT(++between, 100);
    }
    ASSERT_EQ(result, StepResult::kFailed);
    deferred.push_back(between);
  }
  EXPECT_THAT(deferred, ElementsAre(0, 0, 1, 3, 7, 15, 15, 15));
  EXPECT_EQ(Reloads("corrupt"), 8);
}

TEST_F(RefusedVersionTest, ADeferredVersionStaysTheLastError) {
  const std::string version = PublishCorrupt("bad");
  Manage();
  ASSERT_EQ(manager_->Step(), StepResult::kFailed);
  ASSERT_EQ(manager_->Step(), StepResult::kFailed);
  ASSERT_EQ(manager_->Step(), StepResult::kDeferred);
  EXPECT_THAT(manager_->last_error(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(version)));
}

TEST_F(RefusedVersionTest, AGoodVersionAfterABadOneIsTakenAtOnce) {
  PublishCorrupt("bad");
  Manage();
  for (int i = 0; i < 3; ++i) manager_->Step();
  const std::string version = Publish({.prefix = "good"});
  EXPECT_EQ(manager_->Step(), StepResult::kPublished);
  EXPECT_EQ(LiveVersion(), version);
  EXPECT_THAT(manager_->last_error(), IsOk());
}

TEST_F(RefusedVersionTest, AnotherBadVersionIsReadAtOnce) {
  PublishCorrupt("bad");
  Manage();
  for (int i = 0; i < 4; ++i) manager_->Step();
  PublishCorrupt("worse");
  EXPECT_EQ(manager_->Step(), StepResult::kFailed);
  EXPECT_EQ(manager_->Step(), StepResult::kFailed);
  EXPECT_EQ(manager_->Step(), StepResult::kDeferred);
}

TEST_F(RefusedVersionTest, BackToTheLiveVersionIsNoErrorAnyMore) {
  const std::string good = Publish({.prefix = "good"});
  Manage();
  ASSERT_EQ(manager_->Step(), StepResult::kPublished);
  PublishCorrupt("bad");
  ASSERT_EQ(manager_->Step(), StepResult::kFailed);
  ASSERT_THAT(WriteFileAtomically(root_ + "/CURRENT", good + "\n"), IsOk());
  EXPECT_EQ(manager_->Step(), StepResult::kUnchanged);
  EXPECT_THAT(manager_->last_error(), IsOk());
}

}  // namespace
}  // namespace segue
