// Which bundle serves: follows pins, denials and CURRENT, loads, swaps, goes
// back.
#ifndef SEGUE_SERVER_LIFECYCLE_BUNDLE_MANAGER_H_
#define SEGUE_SERVER_LIFECYCLE_BUNDLE_MANAGER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "core/retrieval/serving_snapshot.h"
#include "segue/v1/server_state.pb.h"
#include "server/lifecycle/snapshot_holder.h"
#include "server/lifecycle/version_choice.h"
#include "server/metrics.h"

namespace segue {

// Each step looks which version should serve (version_choice.h) and, where it
// is another one, makes it serve. A bundle becomes live only after its files
// were verified, loaded, found to fit each other, warmed up, and gave the
// answers that they should. Whatever fails, what is live stays live, and later
// polls try again: at once where another version is chosen, or where files are
// only missing; ever more rarely (up to every 16th poll) for a version that was
// read and found bad, because reading one costs a processor.
//
// The version before is held in memory, so that going back to it needs no disk.
// Where the next one has been verified, it goes: never more than two lie in
// memory. A snapshot that requests still use is kept until the last has ended;
// no further version is loaded until then.
//
// Borrows holder and metrics, which outlive it. Step() from one thread: the one
// of Start(), or that of a test; commands from any.
class BundleManager {
 public:
  struct Options {
    std::string bundle_root;
    std::chrono::milliseconds poll_interval{1000};
    uint64_t max_bundle_bytes = 0;  // of the files; 0: no limit
    // Of the process, while a bundle is loaded; 0: no limit.
    uint64_t max_memory_bytes = 0;
    // Over that limit: nothing serves until the next one does.
    bool unload_first = false;
    bool hold_previous = true;
    int max_batch = 1;       // to warm up with
    std::string state_file;  // empty: pins and denials end with the process
    // That a command waits, at most, until it is followed.
    std::chrono::milliseconds command_timeout{120000};
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

  // DataLoss if the state file is none; the system's error if it cannot be
  // written.
  static absl::StatusOr<std::unique_ptr<BundleManager>> Create(
      Options options, SnapshotHolder& holder, Metrics& metrics,
      OnChange on_change);
  ~BundleManager();

  // Steps now, and then every poll interval, on a thread of its own.
  void Start() ABSL_LOCKS_EXCLUDED(mu_);
  // Returns when a step that is under way has ended. Idempotent.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

  // One poll.
  StepResult Step() ABSL_LOCKS_EXCLUDED(mu_);

  // Why the last step failed; OK if it did not. Any thread.
  absl::Status last_error() const ABSL_LOCKS_EXCLUDED(mu_);

  // Commands. Each changes the state, waits until a step has followed it, and
  // then writes it to the state file. Where it cannot be followed, the state is
  // what it was, and the error says why; where it cannot be written, it is
  // followed all the same, and the error says that. InvalidArgument for what is
  // no version's name, NotFound for one that is not in the root, Unavailable
  // where requests use a version for too long, or the server is stopping.
  //
  // The version serves, whatever CURRENT says.
  absl::Status Pin(const std::string& version);
  absl::Status Unpin();
  // The version does not serve because CURRENT names it. FailedPrecondition if
  // it is pinned.
  absl::Status Deny(const std::string& version);
  absl::Status Allow(const std::string& version);
  // Denies the live version and pins the newest before it that is not denied:
  // without a look at the disk, where that is the one held. FailedPrecondition
  // if there is none.
  absl::Status Rollback();

  const std::string& bundle_root() const { return options_.bundle_root; }
  v1::ServerState state() const ABSL_LOCKS_EXCLUDED(mu_);
  bool state_persists() const { return !options_.state_file.empty(); }

 private:
  BundleManager(Options options, v1::ServerState state, SnapshotHolder& holder,
                Metrics& metrics, OnChange on_change);

  StepResult GoTo(const std::string& version);
  // Unset: there is room.
  std::optional<StepResult> MakeRoom(const std::string& version,
                                     uint64_t bytes);
  void Publish(SnapshotPtr next);
  void TellOfLive();
  void Remember(const std::string& version) ABSL_LOCKS_EXCLUDED(mu_);
  void Unload(const std::string& to_make_room_for);
  void Retire(SnapshotPtr snapshot);
  void FreeUnused();
  StepResult Fail(const std::string& version, ReloadOutcome outcome,
                  const absl::Status& why);
  void Restore();
  void ForgetFailure();
  void SetLastError(const absl::Status& error) ABSL_LOCKS_EXCLUDED(mu_);
  void Poll() ABSL_LOCKS_EXCLUDED(mu_);

  using Change = std::function<absl::Status(v1::ServerState&)>;
  absl::Status Command(const Change& change) ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status Follow() ABSL_LOCKS_EXCLUDED(mu_);
  // One step that begins after now; unset: there is none any more.
  std::optional<StepResult> StepNow() ABSL_LOCKS_EXCLUDED(mu_);
  // The state as it is.
  absl::Status WriteState() ABSL_LOCKS_EXCLUDED(mu_, file_mu_);
  absl::Status CheckVersion(const std::string& version) const;
  // That a rollback would go to; empty: none.
  std::string VersionBefore(const std::string& live,
                            const v1::ServerState& state) const;

  const Options options_;
  SnapshotHolder& holder_;
  Metrics& metrics_;
  const OnChange on_change_;

  // The stepping thread's alone.
  std::vector<SnapshotPtr> retired_;
  std::string failed_version_;
  int failures_ = 0;          // of failed_version_, in a row
  int polls_to_skip_ = 0;     // before failed_version_ is read again
  std::string unloaded_;      // to make room, and not replaced yet
  std::string unloaded_for_;  // and must not be again
  ChosenBy chosen_by_ = ChosenBy::kCurrent;

  std::thread thread_;
  Mutex command_mu_;  // one command at a time
  Mutex file_mu_;     // one writer; before mu_, which no disk holds up
  mutable Mutex mu_;
  CondVar changed_;
  bool stop_ ABSL_GUARDED_BY(mu_) = false;
  bool polls_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t asked_ ABSL_GUARDED_BY(mu_) = 0;     // steps, by commands
  uint64_t answered_ ABSL_GUARDED_BY(mu_) = 0;  // of these
  StepResult last_result_ ABSL_GUARDED_BY(mu_) = StepResult::kUnchanged;
  absl::Status last_error_ ABSL_GUARDED_BY(mu_);
  v1::ServerState state_ ABSL_GUARDED_BY(mu_);
};

}  // namespace segue

#endif  // SEGUE_SERVER_LIFECYCLE_BUNDLE_MANAGER_H_
