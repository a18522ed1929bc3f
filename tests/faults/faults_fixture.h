// A server as users run it, bundles that go live one after another, and a load
// on it that does not wait.
#ifndef SEGUE_TESTS_FAULTS_FAULTS_FIXTURE_H_
#define SEGUE_TESTS_FAULTS_FAULTS_FIXTURE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/faults/open_loop.h"
#include "tests/faults/versions_seen.h"
#include "tests/integration/segue_binaries.h"
#include "tests/testing/scale.h"
#include "tests/testing/temp_folder.h"

namespace segue::testing {

// Everything takes some ten times as long with one.
#ifdef SEGUE_SANITIZED
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

// The figure that most tests leave: "3 of 4000".
std::string FailedOf(const std::vector<Ended>& calls);

class FaultsFixture : public ::testing::Test {
 protected:
  static constexpr int kItems = 12;
  static constexpr int kTopK = 10;  // of each call

  // Writes a bundle whose ids are <prefix>-<number>, where no server looks: its
  // version. Versions are in the order of these calls.
  std::string Prepare(const std::string& prefix, int items = kItems);
  // What a publisher does last: the version is there, CURRENT names it; both.
  void Place(const std::string& version);
  void PointAt(const std::string& version);
  void GoLive(const std::string& version);
  // All of it.
  std::string Publish(const std::string& prefix, int items = kItems);
  // A byte of a placed version's index is another one; as it was.
  void Damage(const std::string& version);
  void Mend(const std::string& version);
  std::string Root() const { return folder_ / "bundles"; }
  // Where prepared versions lie.
  std::string Workshop() const { return folder_ / "workshop"; }

  // In place of the one that runs. False: no server, the test has failed.
  [[nodiscard]] bool StartServer(const ServerOptions& options = {});
  RunningServer& server() { return *server_; }
  Process& process() { return server_->process(); }

  // A tenth of the rate with a sanitizer.
  void BeginLoad(double calls_per_second);
  // Until so many more calls have ended.
  void AwaitCalls(int64_t calls);
  // So many as a load is that lasts for this long.
  void AwaitSeconds(double seconds);
  // Until a call of the load was answered by the version.
  void AwaitAnswerOf(const std::string& version);
  // The version that answers a call beside the load; empty if it fails.
  std::string Answering();
  // Ends the load.
  std::vector<Ended> EndLoad();
  // The same; no call may have failed.
  std::vector<Ended> EndGoodLoad();
  VersionsSeen& seen() { return seen_; }

  double Metric(const std::string& series) const;
  double Reloads(const std::string& outcome) const;
  // Of any outcome but success.
  double FailedReloads() const;
  // Until there are so many more.
  void AwaitReloads(const std::string& outcome, int more);

  const TempFolder folder_;

 private:
  void ReplaceIndex(const std::string& version, const std::string& bytes);

  VersionsSeen seen_;
  std::unique_ptr<RunningServer> server_;
  double calls_per_second_ = 0;
  std::unique_ptr<OpenLoop> load_;
};

}  // namespace segue::testing

#endif  // SEGUE_TESTS_FAULTS_FAULTS_FIXTURE_H_
