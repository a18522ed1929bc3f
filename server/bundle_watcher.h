// Follows CURRENT: loads what is published and makes it live.
#ifndef SEGUE_SERVER_BUNDLE_WATCHER_H_
#define SEGUE_SERVER_BUNDLE_WATCHER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "core/retrieval/serving_snapshot.h"
#include "server/metrics.h"
#include "server/snapshot_holder.h"

namespace segue {

// A bundle becomes live only after its files were verified, loaded, found to
// fit each other and warmed up. Whatever fails, what is live stays live, and
// later polls try again: at once where CURRENT names something else, or where
// files are only missing; ever more rarely (up to every 16th poll) for a
// version that was read and found bad, because reading one costs a processor.
//
// Borrows holder and metrics, which outlive it. Owns the snapshots that were
// replaced, until the last request that uses them has ended; no further version
// is loaded until then, so that never more than two lie in memory.
//
// Step() from one thread: the one of Start(), or that of a test.
class BundleWatcher {
 public:
  struct Options {
    std::string bundle_root;
    std::chrono::milliseconds poll_interval{1000};
    uint64_t max_bundle_bytes = 0;  // 0: no limit
    int max_batch = 1;              // to warm up with
  };
  enum class StepResult {
    kUnchanged,  // CURRENT names what is live
    kPublished,  // a new version is live
    kFailed,     // nothing changed; the reason is logged and counted
    kDeferred,   // a bad version, not to be read again yet
    kBusy,       // requests still use the version before
  };

  // `on_publish` is called after each publication, on the stepping thread.
  BundleWatcher(Options options, SnapshotHolder& holder, Metrics& metrics,
                std::function<void(const ServingSnapshot&)> on_publish);
  ~BundleWatcher();

  // Steps now, and then every poll interval, on a thread of its own.
  void Start();
  // Returns when a step that is under way has ended. Idempotent.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

  // One poll.
  StepResult Step();

  // Why the last step failed; OK if it did not. Any thread.
  absl::Status last_error() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // Verify, load, warm up; sets `outcome`.
  absl::StatusOr<std::shared_ptr<const ServingSnapshot>> Load(
      const std::string& version, ReloadOutcome& outcome) const;
  void FreeUnused();
  StepResult Fail(const std::string& version, ReloadOutcome outcome,
                  const absl::Status& why);
  void SetLastError(const absl::Status& error) ABSL_LOCKS_EXCLUDED(mu_);
  void Poll() ABSL_LOCKS_EXCLUDED(mu_);

  const Options options_;
  SnapshotHolder& holder_;
  Metrics& metrics_;
  const std::function<void(const ServingSnapshot&)> on_publish_;

  // The stepping thread's alone.
  std::string live_version_;
  std::vector<std::shared_ptr<const ServingSnapshot>> retired_;
  std::string failed_version_;
  int failures_ = 0;       // of failed_version_, in a row
  int polls_to_skip_ = 0;  // before failed_version_ is read again

  std::thread thread_;
  mutable Mutex mu_;
  CondVar stopping_;
  bool stop_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status last_error_ ABSL_GUARDED_BY(mu_);
};

}  // namespace segue

#endif  // SEGUE_SERVER_BUNDLE_WATCHER_H_
