// What a server remembers: pins, denials, the newest version that served.
#ifndef SEGUE_SERVER_LIFECYCLE_REMEMBERED_STATE_H_
#define SEGUE_SERVER_LIFECYCLE_REMEMBERED_STATE_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "segue/v1/server_state.pb.h"

namespace segue {

// The state in memory, which is what is followed, and its file
// (state_file.h), which is written when Write() is called. Any thread.
class RememberedState {
 public:
  // Reads the file, and writes it once: better now than when a rollback is to
  // be remembered. Empty path: nothing outlives the process. The errors of
  // ReadStateFile(), and the system's.
  static absl::StatusOr<std::unique_ptr<RememberedState>> Open(
      std::string path);

  v1::ServerState Get() const ABSL_LOCKS_EXCLUDED(mu_);
  // As `change` leaves it; where that fails, as it was. Returns what was
  // before.
  absl::StatusOr<v1::ServerState> Change(
      const std::function<absl::Status(v1::ServerState&)>& change)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Undoes a change; the newest version that served meanwhile stays.
  void Restore(v1::ServerState before) ABSL_LOCKS_EXCLUDED(mu_);
  // The version has served. False: a newer one had.
  bool RaiseHighest(const std::string& version) ABSL_LOCKS_EXCLUDED(mu_);

  // The state as it is now.
  absl::Status Write() ABSL_LOCKS_EXCLUDED(mu_, file_mu_);
  bool persists() const { return !path_.empty(); }

 private:
  RememberedState(std::string path, v1::ServerState state)
      : path_(std::move(path)), state_(std::move(state)) {}

  const std::string path_;
  Mutex file_mu_;  // one writer; before mu_, which no disk holds up
  mutable Mutex mu_;
  v1::ServerState state_ ABSL_GUARDED_BY(mu_);
};

}  // namespace segue

#endif  // SEGUE_SERVER_LIFECYCLE_REMEMBERED_STATE_H_
