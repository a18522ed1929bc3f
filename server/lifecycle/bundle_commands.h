// What operators ask of a BundleManager.
#ifndef SEGUE_SERVER_LIFECYCLE_BUNDLE_COMMANDS_H_
#define SEGUE_SERVER_LIFECYCLE_BUNDLE_COMMANDS_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "core/base/mutex.h"
#include "segue/v1/server_state.pb.h"
#include "server/lifecycle/bundle_manager.h"
#include "server/lifecycle/snapshot_holder.h"

namespace segue {

// Commands to what serves change the state (RememberedState), wait until a step
// has followed it, and then write it to its file. Where it cannot be followed,
// the state is what it was, and the error says why; where it cannot be written,
// it is followed all the same, and the error says that. Those to the shadow
// need no state: it ends with the process.
//
// InvalidArgument for what is no version's name, NotFound for one that is not
// in the root, Unavailable where requests use a version for too long, or the
// server is stopping.
//
// Borrows both. Any thread; one command at a time.
class BundleCommands {
 public:
  BundleCommands(BundleManager& manager, const SnapshotHolder& holder)
      : manager_(manager), holder_(holder) {}

  // The version serves, whatever CURRENT says.
  absl::Status Pin(const std::string& version);
  absl::Status Unpin();
  // The version does not serve because CURRENT names it. FailedPrecondition if
  // it is pinned.
  absl::Status Deny(const std::string& version);
  absl::Status Allow(const std::string& version);
  // Denies the live version and pins the one before: that which is held, where
  // it is older and not denied, without a look at the disk; else the newest
  // such one in the root. FailedPrecondition if there is none.
  absl::Status Rollback();

  // Loads the version beside the live one, for a share in [0, 1] of the queries
  // to be copied to it. BundleManager::LoadShadow() says how.
  absl::Status Shadow(const std::string& version, double share);
  // The shadow serves, from memory, and the live one is the version before.
  // Nothing is pinned afterwards where CURRENT leads to the shadow, else the
  // shadow is. FailedPrecondition if there is none.
  absl::Status Promote();
  // The shadow leaves memory once no request uses it. FailedPrecondition if
  // there is none.
  absl::Status Discard();

 private:
  using Change = std::function<absl::Status(v1::ServerState&)>;
  absl::Status Follow(const Change& change);
  absl::Status CheckVersion(const std::string& version) const;
  // That a rollback would go to; empty: none.
  std::string VersionBefore(const std::string& live,
                            const v1::ServerState& state) const;

  BundleManager& manager_;
  const SnapshotHolder& holder_;
  Mutex mu_;  // one at a time
};

}  // namespace segue

#endif  // SEGUE_SERVER_LIFECYCLE_BUNDLE_COMMANDS_H_
