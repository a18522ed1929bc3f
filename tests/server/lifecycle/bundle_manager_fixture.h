// A bundle root, and a BundleManager over it that the test steps.
#ifndef SEGUE_TESTS_SERVER_LIFECYCLE_BUNDLE_MANAGER_FIXTURE_H_
#define SEGUE_TESTS_SERVER_LIFECYCLE_BUNDLE_MANAGER_FIXTURE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/bundle/layout.h"
#include "gmock/gmock.h"
#include "server/lifecycle/bundle_commands.h"
#include "server/lifecycle/bundle_manager.h"
#include "tests/server/metric_values.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"
#include "tests/testing/tiny_bundle.h"

namespace segue::testing {

inline void FlipAByte(const std::string& path) {
  auto bytes = ReadFile(path, 1 << 20);
  ASSERT_THAT(bytes, IsOk());
  (*bytes)[bytes->size() / 2] ^= 1;
  ASSERT_THAT(WriteFileAtomically(path, *bytes), IsOk());
}

class BundleManagerTest : public ::testing::Test {
 protected:
  // By default nothing is held.
  void Manage(BundleManager::Options options = {.hold_previous = false}) {
    options.bundle_root = root_;
    options.max_batch = 4;
    auto manager = BundleManager::Create(
        std::move(options), holder_, metrics_,
        [this](const ServingSnapshot* live) {
          published_.push_back(live == nullptr ? "" : live->version);
        },
        [this](const SnapshotPtr& shadow, double share) {
          shadow_ = VersionOf(shadow);
          share_ = share;
        });
    ASSERT_THAT(manager, IsOk());
    manager_ = *std::move(manager);
    commands_ = std::make_unique<BundleCommands>(*manager_, holder_);
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
  std::string shadow_;  // and its share, as the manager told
  double share_ = 0;
  std::unique_ptr<BundleManager> manager_;
  std::unique_ptr<BundleCommands> commands_;
};

}  // namespace segue::testing

#endif  // SEGUE_TESTS_SERVER_LIFECYCLE_BUNDLE_MANAGER_FIXTURE_H_
