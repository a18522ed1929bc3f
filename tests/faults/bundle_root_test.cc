// The folder that a server looks at goes away, and comes back.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/faults/faults_fixture.h"

namespace segue::testing {
namespace {

namespace fs = std::filesystem;

constexpr int kPollMs = 100;

class BundleRootTest : public FaultsFixture {
 protected:
  // Under load: after `lose` polls fail with `outcome`; after `restore` what is
  // published next goes live.
  void ExpectItIsOutlived(const std::string& what, const std::string& outcome,
                          const std::function<void()>& lose,
                          const std::function<void()>& restore,
                          const ServerOptions& options = {}) {
    const int rounds = AtScale(1, 10);
    std::vector<std::string> versions;
    for (int i = 0; i <= rounds; ++i) {
      versions.push_back(Prepare(absl::StrCat("v", i)));
    }
    GoLive(versions[0]);
    ServerOptions polling = options;
    polling.settings.push_back(absl::StrCat("poll_interval_ms=", kPollMs));
    ASSERT_TRUE(StartServer(polling));
    BeginLoad(500);
    double polls = 0;
    for (int i = 1; i <= rounds; ++i) {
      AwaitAnswerOf(versions[i - 1]);
      lose();
      AwaitReloads(outcome, 3);
      restore();
      const auto published = std::chrono::steady_clock::now();
      GoLive(versions[i]);
      AwaitAnswerOf(versions[i]);
      if (HasFatalFailure()) return;
      const std::chrono::duration<double, std::milli> took =
          seen().versions().at(versions[i]).first - published;
      polls = std::max(polls, took.count() / kPollMs);
    }
    const std::vector<Ended> calls = EndGoodLoad();
    LeaveFigure(10, absl::StrCat("bundle root ", what, ": failed"),
                FailedOf(calls), "0");
    LeaveFigure(10, absl::StrCat("bundle root ", what, ": polls to recover"),
                absl::StrFormat("%.2f", polls), "<= 2");
  }

  std::string Aside() const { return folder_ / "aside"; }
};

TEST_F(BundleRootTest, EmptiedWhatIsLiveServesOn) {
  const auto move_all = [](const std::string& from, const std::string& to) {
    fs::create_directory(to);
    for (const auto& entry : fs::directory_iterator(from)) {
      fs::rename(entry.path(), fs::path(to) / entry.path().filename());
    }
  };
  ExpectItIsOutlived(
      "emptied", "missing", [&] { move_all(Root(), Aside()); },
      [&] { move_all(Aside(), Root()); });
}

TEST_F(BundleRootTest, RenamedWhatIsLiveServesOn) {
  ExpectItIsOutlived(
      "renamed", "missing", [&] { fs::rename(Root(), Aside()); },
      [&] { fs::rename(Aside(), Root()); });
}

TEST_F(BundleRootTest, ReplacedByAFileWhatIsLiveServesOn) {
  ExpectItIsOutlived(
      "replaced by a file", "missing",
      [&] {
        fs::rename(Root(), Aside());
        std::ofstream(Root()) << "no folder\n";
      },
      [&] {
        fs::remove(Root());
        fs::rename(Aside(), Root());
      });
}

TEST_F(BundleRootTest, OnAFailingDiskWhatIsLiveServesOn) {
  if (kSanitized) {
    GTEST_SKIP() << "a sanitizer's runtime has to be preloaded before ours";
  }
  const std::string sign = folder_ / "disk_fails";
  ExpectItIsOutlived(
      "on a failing disk (EIO)", "error", [&] { std::ofstream(sign) << "\n"; },
      [&] { fs::remove(sign); },
      {.launcher = {"/usr/bin/env",
                    absl::StrCat("LD_PRELOAD=", SEGUE_EIO_PRELOAD),
                    absl::StrCat("SEGUE_EIO_PATH=", Root()),
                    absl::StrCat("SEGUE_EIO_WHILE=", sign)}});
}

}  // namespace
}  // namespace segue::testing
