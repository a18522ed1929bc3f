#include "server/lifecycle/remembered_state.h"

#include <algorithm>

#include "absl/memory/memory.h"
#include "core/base/status_macros.h"
#include "server/lifecycle/state_file.h"

namespace segue {

absl::StatusOr<std::unique_ptr<RememberedState>> RememberedState::Open(
    std::string path) {
  ASSIGN_OR_RETURN(v1::ServerState state, ReadStateFile(path));
  RETURN_IF_ERROR(WriteStateFile(path, state));
  return absl::WrapUnique(
      new RememberedState(std::move(path), std::move(state)));
}

v1::ServerState RememberedState::Get() const {
  MutexLock lock(mu_);
  return state_;
}

absl::StatusOr<v1::ServerState> RememberedState::Change(
    const std::function<absl::Status(v1::ServerState&)>& change) {
  MutexLock lock(mu_);
  v1::ServerState after = state_;
  RETURN_IF_ERROR(change(after));
  std::swap(state_, after);
  return after;
}

void RememberedState::Restore(v1::ServerState before) {
  MutexLock lock(mu_);
  before.set_highest_version(
      std::max(before.highest_version(), state_.highest_version()));
  state_ = std::move(before);
}

bool RememberedState::RaiseHighest(const std::string& version) {
  MutexLock lock(mu_);
  if (version <= state_.highest_version()) return false;
  state_.set_highest_version(version);
  return true;
}

absl::Status RememberedState::Write() {
  MutexLock writing(file_mu_);
  return WriteStateFile(path_, Get());
}

}  // namespace segue
