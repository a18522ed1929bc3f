// Which bundle serves: follows pins, denials and CURRENT, loads, swaps, goes
// back; and which is tried beside it.
#ifndef SEGUE_SERVER_LIFECYCLE_BUNDLE_MANAGER_H_
#define SEGUE_SERVER_LIFECYCLE_BUNDLE_MANAGER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "core/retrieval/serving_snapshot.h"
#include "server/lifecycle/poll_thread.h"
#include "server/lifecycle/remembered_state.h"
#include "server/lifecycle/snapshot_holder.h"
#include "server/lifecycle/version_choice.h"
#include "server/metrics/metrics.h"

namespace segue {

// Each step looks which version should serve (version_choice.h) and, where it
// is another one, makes it serve. A bundle becomes live only after its files
// were verified, loaded, found to fit each other, warmed up, and gave the
// answers that they should. Whatever fails, what is live stays live, and later
// polls try again: at once where another version is chosen, or where files or a
// signature are only missing; ever more rarely (up to every 16th poll) for a
// version that was read and found bad, because reading one costs a processor.
// After a restart nothing is live: where what should serve cannot, the newest
// version that served before stands in, unless another one is pinned.
//
// The version before is held in memory, so that going back to it needs no disk.
// Where the next one has been verified, it goes. A shadow lies beside the live
// one, never more than one: at most three lie in memory. A snapshot that
// requests still use is kept until the last has ended; no further version is
// loaded until then.
//
// Borrows holder and metrics, which outlive it. Step() from one thread: the one
// of Start(), or that of a test. Follow(), LoadShadow() and DiscardShadow() are
// for BundleCommands: they wait for that thread (without Start() they are that
// of the caller), from one thread at a time.
class BundleManager {
 public:
  struct Options {
    std::string bundle_root;
    std::string trusted_keys_file;  // empty: bundles need no signature
    std::chrono::milliseconds poll_interval{1000};
    uint64_t max_bundle_bytes = 0;  // of the files; 0: no limit
    // Of the process, while a bundle is loaded; 0: no limit.
    uint64_t max_memory_bytes = 0;
    // Over that limit: nothing serves until the next one does.
    bool unload_first = false;
    bool hold_previous = true;
    int max_batch = 1;       // to warm up with
    std::string state_file;  // empty: the state ends with the process
    // That a command waits, at most, until it is followed.
    std::chrono::milliseconds command_timeout{120000};
    // Of verifying and loading a bundle in idle time (idle_time.h).
    std::chrono::milliseconds idle_loading{60000};
  };
  enum class StepResult {
    kUnchanged,  // what should serve does
    kPublished,  // another version serves
    kFailed,     // nothing changed; the reason is logged and counted
    kDeferred,   // a bad version, not to be read again yet
    kBusy,       // requests still use a version that has to go
  };
  // Called after each change of what serves, on the stepping thread; null:
  // nothing does.
  using OnChange = std::function<void(const ServingSnapshot*)>;
  // Called after each change of the shadow, or of the share of the queries that
  // it is to get, likewise; null: there is none.
  using OnShadow = std::function<void(const SnapshotPtr&, double share)>;

  // InvalidArgument if trusted_keys_file is none; DataLoss if the state file is
  // none; the system's error if it cannot be written.
  static absl::StatusOr<std::unique_ptr<BundleManager>> Create(
      Options options, SnapshotHolder& holder, Metrics& metrics,
      OnChange on_change, OnShadow on_shadow = [](const auto&, double) {});

  // Steps now, and then every poll interval, on a thread of its own.
  void Start() { thread_.Start(); }
  // Returns when a step that is under way has ended. Idempotent.
  void Stop() { thread_.Stop(); }

  // One poll.
  StepResult Step() ABSL_LOCKS_EXCLUDED(mu_);

  // Why the last step failed; OK if it did not. Any thread.
  absl::Status last_error() const ABSL_LOCKS_EXCLUDED(mu_);

  // Steps until the state is followed, or why it is not.
  absl::Status Follow();
  // The version is the shadow, in place of another one, for `share` of the
  // queries; one that is held becomes it, any other is loaded as one that is to
  // serve. The shadow before goes once the next one is verified; where that
  // would be over max_memory_bytes, the version that is held goes, but never
  // the live one. FailedPrecondition for the live version, and where nothing
  // serves; and why a version is refused.
  absl::Status LoadShadow(const std::string& version, double share);
  absl::Status DiscardShadow();

  const std::string& bundle_root() const { return options_.bundle_root; }
  RememberedState& state() { return *state_; }

 private:
  BundleManager(Options options, std::unique_ptr<RememberedState> state,
                SnapshotHolder& holder, Metrics& metrics, OnChange on_change,
                OnShadow on_shadow);

  StepResult GoTo(const std::string& version);
  // Unset: there is room.
  std::optional<StepResult> MakeRoom(const std::string& version,
                                     uint64_t bytes);
  // Whether so many more would be over max_memory_bytes, and that error.
  bool IsTooMuch(uint64_t bytes) const;
  absl::Status TooMuch(uint64_t bytes) const;
  // False: requests still use a version that has to go.
  absl::StatusOr<bool> GoToShadow(const std::string& version, double share);
  absl::StatusOr<bool> MakeRoomForShadow(uint64_t bytes);
  void SetShadow(SnapshotPtr shadow, double share);
  void Publish(SnapshotPtr next);
  void TellOfLive();
  void Remember(const std::string& version);
  void Unload(const std::string& to_make_room_for);
  void Retire(SnapshotPtr snapshot);
  void FreeUnused();
  StepResult Fail(const std::string& version, ReloadOutcome outcome,
                  const absl::Status& why);
  void Restore();
  // False: it cannot be loaded.
  bool ServeAgain(const std::string& version);
  void StandIn(const std::string& for_version);
  void ForgetFailure();
  void SetLastError(const absl::Status& error) ABSL_LOCKS_EXCLUDED(mu_);

  const Options options_;
  SnapshotHolder& holder_;
  Metrics& metrics_;
  const OnChange on_change_;
  const OnShadow on_shadow_;
  const std::unique_ptr<RememberedState> state_;

  // The stepping thread's alone.
  std::vector<SnapshotPtr> retired_;
  std::string failed_version_;
  int failures_ = 0;          // of failed_version_, in a row
  int polls_to_skip_ = 0;     // before failed_version_ is read again
  std::string unloaded_;      // to make room, and not replaced yet
  std::string unloaded_for_;  // and must not be again
  std::string stand_in_;      // served before the start; until something does
  ChosenBy chosen_by_ = ChosenBy::kCurrent;

  mutable Mutex mu_;
  absl::Status last_error_ ABSL_GUARDED_BY(mu_);

  PollThread thread_;
};

}  // namespace segue

#endif  // SEGUE_SERVER_LIFECYCLE_BUNDLE_MANAGER_H_
