#include "server/bundle_watcher.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <semaphore>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/bundle/layout.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/metric_values.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"
#include "tests/testing/tiny_bundle.h"

namespace segue {
namespace {

namespace fs = std::filesystem;
using segue::testing::IsOk;
using segue::testing::MetricValue;
using segue::testing::MetricValues;
using segue::testing::PublishTinyBundle;
using segue::testing::StatusIs;
using segue::testing::TempFolder;
using segue::testing::TinyBundleOptions;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using StepResult = BundleWatcher::StepResult;

void FlipAByte(const std::string& path) {
  auto bytes = ReadFile(path, 1 << 20);
  ASSERT_THAT(bytes, IsOk());
  (*bytes)[bytes->size() / 2] ^= 1;
  ASSERT_THAT(WriteFileAtomically(path, *bytes), IsOk());
}

class BundleWatcherTest : public ::testing::Test {
 protected:
  void Watch(uint64_t max_bundle_bytes = 0) {
    watcher_ = std::make_unique<BundleWatcher>(
        BundleWatcher::Options{.bundle_root = root_,
                               .max_bundle_bytes = max_bundle_bytes,
                               .max_batch = 4},
        holder_, metrics_, [this](const ServingSnapshot& snapshot) {
          published_.push_back(snapshot.version);
        });
  }

  std::string Publish(const TinyBundleOptions& options) const {
    auto version = PublishTinyBundle(root_, options);
    EXPECT_THAT(version, IsOk());
    return std::move(version).value_or("");
  }
  std::string PublishCorrupt(const std::string& prefix) const {
    std::string version = Publish({.prefix = prefix});
    FlipAByte(FolderOf(version) + "/" + layout::kIndex);
    return version;
  }
  std::string FolderOf(const std::string& version) const {
    return root_ + "/" + version;
  }

  std::string LiveVersion() const {
    const auto snapshot = holder_.Get();
    return snapshot == nullptr ? "" : snapshot->version;
  }
  double Reloads(const std::string& outcome) {
    return MetricValue(
        metrics_.Text(),
        absl::StrCat("segue_bundle_reloads_total{outcome=\"", outcome, "\"}"));
  }
  double AllReloads() {
    double sum = 0;
    for (const auto& [series, value] : MetricValues(metrics_.Text())) {
      if (series.rfind("segue_bundle_reloads_total", 0) == 0) sum += value;
    }
    return sum;
  }

  const TempFolder temp_;
  const std::string root_ = temp_ / "bundles";
  SnapshotHolder holder_;
  Metrics metrics_;
  std::vector<std::string> published_;
  std::unique_ptr<BundleWatcher> watcher_;
};

TEST_F(BundleWatcherTest, PublishesWhatCurrentNames) {
  const std::string version = Publish({.items = 7});
  Watch();
  EXPECT_EQ(watcher_->Step(), StepResult::kPublished);
  EXPECT_EQ(LiveVersion(), version);
  EXPECT_THAT(published_, ElementsAre(version));
  EXPECT_THAT(watcher_->last_error(), IsOk());
  EXPECT_EQ(Reloads("success"), 1);
  const auto values = MetricValues(metrics_.Text());
  EXPECT_EQ(values.at("segue_bundle_info{version=\"" + version + "\"}"), 1);
  EXPECT_EQ(values.at("segue_bundle_items"), 7);
  EXPECT_EQ(values.at("segue_bundle_bytes"),
            static_cast<double>(holder_.Get()->bytes));
}

TEST_F(BundleWatcherTest, ASecondStepChangesNothing) {
  Publish({});
  Watch();
  ASSERT_EQ(watcher_->Step(), StepResult::kPublished);
  const auto live = holder_.Get();
  EXPECT_EQ(watcher_->Step(), StepResult::kUnchanged);
  EXPECT_EQ(holder_.Get(), live);
  EXPECT_EQ(AllReloads(), 1);
  EXPECT_EQ(published_.size(), 1u);
}

TEST_F(BundleWatcherTest, ANewVersionReplacesTheOldOne) {
  const std::string old_version = Publish({.prefix = "a"});
  Watch();
  ASSERT_EQ(watcher_->Step(), StepResult::kPublished);
  const std::string version = Publish({.prefix = "b"});
  EXPECT_EQ(watcher_->Step(), StepResult::kPublished);
  EXPECT_EQ(LiveVersion(), version);
  EXPECT_THAT(published_, ElementsAre(old_version, version));
}

TEST_F(BundleWatcherTest, ARollbackIsAVersionLikeAnyOther) {
  const std::string first = Publish({.prefix = "a"});
  Watch();
  ASSERT_EQ(watcher_->Step(), StepResult::kPublished);
  Publish({.prefix = "b"});
  ASSERT_EQ(watcher_->Step(), StepResult::kPublished);
  ASSERT_THAT(WriteFileAtomically(root_ + "/CURRENT", first + "\n"), IsOk());
  EXPECT_EQ(watcher_->Step(), StepResult::kPublished);
  EXPECT_EQ(LiveVersion(), first);
}

TEST_F(BundleWatcherTest, NothingPublishedIsMissingUntilItIsThere) {
  Watch();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(watcher_->Step(), StepResult::kFailed);
  EXPECT_EQ(Reloads("missing"), 3);
  EXPECT_EQ(LiveVersion(), "");
  EXPECT_THAT(watcher_->last_error(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(root_)));
  Publish({});
  EXPECT_EQ(watcher_->Step(), StepResult::kPublished);
  EXPECT_THAT(watcher_->last_error(), IsOk());
}

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

class BadVersionTest : public BundleWatcherTest,
                       public ::testing::WithParamInterface<BadVersion> {};

TEST_P(BadVersionTest, LeavesTheOldOneLiveAndIsCounted) {
  const BadVersion& bad = GetParam();
  const std::string good = Publish({.prefix = "good"});
  Watch(bad.max_bundle_bytes);
  ASSERT_EQ(watcher_->Step(), StepResult::kPublished);
  const auto live = holder_.Get();

  const std::string version = Publish(bad.options);
  if (bad.damage) bad.damage(FolderOf(version));
  EXPECT_EQ(watcher_->Step(), StepResult::kFailed);
  EXPECT_EQ(holder_.Get(), live);
  EXPECT_EQ(Reloads(bad.outcome), 1);
  EXPECT_EQ(AllReloads(), 2);
  EXPECT_THAT(published_, ElementsAre(good));
  EXPECT_THAT(std::string(watcher_->last_error().message()),
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
  };
}

INSTANTIATE_TEST_SUITE_P(Table, BadVersionTest,
                         ::testing::ValuesIn(BadVersions()),
                         [](const auto& info) { return info.param.name; });

TEST_F(BundleWatcherTest, CurrentThatNamesNoVersionIsCorrupt) {
  const std::string version = Publish({});
  Watch();
  ASSERT_EQ(watcher_->Step(), StepResult::kPublished);
  std::ofstream(root_ + "/CURRENT") << "../elsewhere\n";
  EXPECT_EQ(watcher_->Step(), StepResult::kFailed);
  EXPECT_EQ(Reloads("corrupt"), 1);
  EXPECT_EQ(LiveVersion(), version);
}

TEST_F(BundleWatcherTest, ABadVersionIsReadEverMoreRarely) {
  PublishCorrupt("bad");
  Watch();
  std::vector<int> deferred;
  for (int failures = 0; failures < 8; ++failures) {
    int between = 0;
    StepResult result = watcher_->Step();
    for (; result == StepResult::kDeferred; result = watcher_->Step()) {
      ASSERT_LT(++between, 100);
    }
    ASSERT_EQ(result, StepResult::kFailed);
    deferred.push_back(between);
  }
  EXPECT_THAT(deferred, ElementsAre(0, 0, 1, 3, 7, 15, 15, 15));
  EXPECT_EQ(Reloads("corrupt"), 8);
}

TEST_F(BundleWatcherTest, ADeferredVersionStaysTheLastError) {
  const std::string version = PublishCorrupt("bad");
  Watch();
  ASSERT_EQ(watcher_->Step(), StepResult::kFailed);
  ASSERT_EQ(watcher_->Step(), StepResult::kFailed);
  ASSERT_EQ(watcher_->Step(), StepResult::kDeferred);
  EXPECT_THAT(watcher_->last_error(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(version)));
}

TEST_F(BundleWatcherTest, AGoodVersionAfterABadOneIsTakenAtOnce) {
  PublishCorrupt("bad");
  Watch();
  for (int i = 0; i < 3; ++i) watcher_->Step();
  const std::string version = Publish({.prefix = "good"});
  EXPECT_EQ(watcher_->Step(), StepResult::kPublished);
  EXPECT_EQ(LiveVersion(), version);
  EXPECT_THAT(watcher_->last_error(), IsOk());
}

TEST_F(BundleWatcherTest, AnotherBadVersionIsReadAtOnce) {
  PublishCorrupt("bad");
  Watch();
  for (int i = 0; i < 4; ++i) watcher_->Step();
  PublishCorrupt("worse");
  EXPECT_EQ(watcher_->Step(), StepResult::kFailed);
  EXPECT_EQ(watcher_->Step(), StepResult::kFailed);
  EXPECT_EQ(watcher_->Step(), StepResult::kDeferred);
}

TEST_F(BundleWatcherTest, BackToTheLiveVersionIsNoErrorAnyMore) {
  const std::string good = Publish({.prefix = "good"});
  Watch();
  ASSERT_EQ(watcher_->Step(), StepResult::kPublished);
  PublishCorrupt("bad");
  ASSERT_EQ(watcher_->Step(), StepResult::kFailed);
  ASSERT_THAT(WriteFileAtomically(root_ + "/CURRENT", good + "\n"), IsOk());
  EXPECT_EQ(watcher_->Step(), StepResult::kUnchanged);
  EXPECT_THAT(watcher_->last_error(), IsOk());
}

TEST_F(BundleWatcherTest, AMissingFolderIsLookedForAtEachStep) {
  Publish({.prefix = "a"});
  Watch();
  ASSERT_EQ(watcher_->Step(), StepResult::kPublished);
  const std::string version = Publish({.prefix = "b"});
  fs::rename(FolderOf(version), temp_ / "aside");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(watcher_->Step(), StepResult::kFailed);
  EXPECT_EQ(AllReloads(), 6);
  fs::rename(temp_ / "aside", FolderOf(version));
  EXPECT_EQ(watcher_->Step(), StepResult::kPublished);
  EXPECT_EQ(LiveVersion(), version);
}

TEST_F(BundleWatcherTest, AnEmptiedRootKeepsServingAndRecovers) {
  const std::string version = Publish({});
  Watch();
  ASSERT_EQ(watcher_->Step(), StepResult::kPublished);
  fs::rename(root_, temp_ / "aside");
  EXPECT_EQ(watcher_->Step(), StepResult::kFailed);
  fs::create_directory(root_);
  EXPECT_EQ(watcher_->Step(), StepResult::kFailed);
  EXPECT_EQ(LiveVersion(), version);
  EXPECT_EQ(Reloads("missing"), 2);
  fs::remove(root_);
  fs::rename(temp_ / "aside", root_);
  EXPECT_EQ(watcher_->Step(), StepResult::kUnchanged);
  EXPECT_THAT(watcher_->last_error(), IsOk());
}

TEST_F(BundleWatcherTest, IsBusyWhileTheRetiredSnapshotIsInUse) {
  Publish({.prefix = "a"});
  Watch();
  ASSERT_EQ(watcher_->Step(), StepResult::kPublished);
  auto request = holder_.Get();
  const std::string second = Publish({.prefix = "b"});
  ASSERT_EQ(watcher_->Step(), StepResult::kPublished);
  EXPECT_EQ(watcher_->Step(), StepResult::kUnchanged);

  const std::string third = Publish({.prefix = "c"});
  EXPECT_EQ(watcher_->Step(), StepResult::kBusy);
  EXPECT_EQ(watcher_->Step(), StepResult::kBusy);
  EXPECT_EQ(LiveVersion(), second);
  EXPECT_EQ(AllReloads(), 2);
  request.reset();
  EXPECT_EQ(watcher_->Step(), StepResult::kPublished);
  EXPECT_EQ(LiveVersion(), third);
}

TEST_F(BundleWatcherTest, ARetiredSnapshotIsFreedByAStepNotByItsLastUser) {
  Publish({.prefix = "a"});
  Watch();
  ASSERT_EQ(watcher_->Step(), StepResult::kPublished);
  auto request = holder_.Get();
  const std::weak_ptr<const ServingSnapshot> retired = request;
  Publish({.prefix = "b"});
  ASSERT_EQ(watcher_->Step(), StepResult::kPublished);
  request.reset();
  EXPECT_FALSE(retired.expired());
  EXPECT_EQ(watcher_->Step(), StepResult::kUnchanged);
  EXPECT_TRUE(retired.expired());
}

TEST_F(BundleWatcherTest, ALimitThatTheBundleKeepsIsNone) {
  Publish({});
  Watch(/*max_bundle_bytes=*/1 << 20);
  EXPECT_EQ(watcher_->Step(), StepResult::kPublished);
}

// The watcher's own thread, with a semaphore that counts publications.
class BundleWatcherThreadTest : public BundleWatcherTest {
 protected:
  void Start(std::chrono::milliseconds poll_interval) {
    watcher_ = std::make_unique<BundleWatcher>(
        BundleWatcher::Options{.bundle_root = root_,
                               .poll_interval = poll_interval},
        holder_, metrics_,
        [this](const ServingSnapshot&) { publications_.release(); });
    watcher_->Start();
  }

  std::counting_semaphore<> publications_{0};
};

TEST_F(BundleWatcherThreadTest, StepsAtOnceAndStopsWithoutWaitingForAPoll) {
  const std::string version = Publish({});
  Start(std::chrono::hours(24));
  publications_.acquire();
  EXPECT_EQ(LiveVersion(), version);
  watcher_->Stop();
  watcher_->Stop();
}

TEST_F(BundleWatcherThreadTest, PollsForWhatIsPublishedLater) {
  Start(std::chrono::milliseconds(1));
  for (const char* prefix : {"a", "b", "c"}) {
    const std::string version = Publish({.prefix = prefix});
    publications_.acquire();
    EXPECT_EQ(LiveVersion(), version);
  }
  watcher_.reset();
  Publish({.prefix = "d"});
  EXPECT_FALSE(publications_.try_acquire());
}

}  // namespace
}  // namespace segue
