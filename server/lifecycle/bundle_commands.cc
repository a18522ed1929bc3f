#include "server/lifecycle/bundle_commands.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/bundle/bundle_reader.h"
#include "core/bundle/names.h"
#include "server/lifecycle/version_choice.h"

namespace segue {
namespace {

void AddDenied(const std::string& version, v1::ServerState& state) {
  if (!IsDenied(state, version)) state.add_denied_versions(version);
  // CURRENT may lead back behind it now.
  if (state.highest_version() == version) state.clear_highest_version();
}

}  // namespace

absl::Status BundleCommands::Follow(const Change& change) {
  MutexLock lock(mu_);
  ASSIGN_OR_RETURN(v1::ServerState before, manager_.state().Change(change));
  absl::Status followed = manager_.Follow();
  if (!followed.ok()) {
    manager_.state().Restore(std::move(before));
    return followed;
  }
  const absl::Status kept = manager_.state().Write();
  if (kept.ok()) return absl::OkStatus();
  return absl::Status(
      kept.code(),
      absl::StrCat("it is followed, but not remembered after a restart: ",
                   kept.message()));
}

absl::Status BundleCommands::CheckVersion(const std::string& version) const {
  if (!IsVersionName(version)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", version.substr(0, 64), "\" is no version's name"));
  }
  const std::vector<std::string> versions =
      ListVersions(manager_.bundle_root());
  if (std::find(versions.begin(), versions.end(), version) == versions.end()) {
    return absl::NotFoundError(absl::StrCat("there is no version ", version,
                                            " in ", manager_.bundle_root()));
  }
  return absl::OkStatus();
}

absl::Status BundleCommands::Pin(const std::string& version) {
  RETURN_IF_ERROR(CheckVersion(version));
  return Follow([&](v1::ServerState& state) {
    state.set_pinned_version(version);
    return absl::OkStatus();
  });
}

absl::Status BundleCommands::Unpin() {
  return Follow([](v1::ServerState& state) {
    state.clear_pinned_version();
    return absl::OkStatus();
  });
}

absl::Status BundleCommands::Deny(const std::string& version) {
  RETURN_IF_ERROR(CheckVersion(version));
  return Follow([&](v1::ServerState& state) -> absl::Status {
    if (state.pinned_version() == version) {
      return absl::FailedPreconditionError(
          absl::StrCat(version, " is pinned; unpin it first"));
    }
    AddDenied(version, state);
    return absl::OkStatus();
  });
}

absl::Status BundleCommands::Allow(const std::string& version) {
  return Follow([&](v1::ServerState& state) -> absl::Status {
    auto& denied = *state.mutable_denied_versions();
    const auto at = std::find(denied.begin(), denied.end(), version);
    if (at == denied.end()) {
      return absl::NotFoundError(
          absl::StrCat(version.substr(0, 64), " is not denied"));
    }
    denied.erase(at);
    return absl::OkStatus();
  });
}

std::string BundleCommands::VersionBefore(const std::string& live,
                                          const v1::ServerState& state) const {
  // What served before: newer ones in the root may never have, or not be good.
  std::string before = VersionOf(holder_.previous());
  if (!before.empty() && before < live && !IsDenied(state, before)) {
    return before;
  }
  before.clear();
  for (const std::string& version : ListVersions(manager_.bundle_root())) {
    if (version < live && version > before && !IsDenied(state, version)) {
      before = version;
    }
  }
  return before;
}

absl::Status BundleCommands::Rollback() {
  return Follow([&](v1::ServerState& state) -> absl::Status {
    const SnapshotPtr live = holder_.Get();
    if (live == nullptr) {
      return absl::FailedPreconditionError("nothing serves yet");
    }
    const std::string before = VersionBefore(live->version, state);
    if (before.empty()) {
      return absl::FailedPreconditionError(
          absl::StrCat("there is no version before ", live->version));
    }
    state.set_pinned_version(before);
    AddDenied(live->version, state);
    return absl::OkStatus();
  });
}

absl::Status BundleCommands::Shadow(const std::string& version, double share) {
  // Not a comparison that NaN passes.
  if (!(share >= 0 && share <= 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("share is ", share, "; it must be in [0, 1]"));
  }
  RETURN_IF_ERROR(CheckVersion(version));
  MutexLock lock(mu_);
  return manager_.LoadShadow(version, share);
}

absl::Status BundleCommands::Promote() {
  return Follow([&](v1::ServerState& state) -> absl::Status {
    const SnapshotPtr shadow = holder_.shadow();
    if (shadow == nullptr) {
      return absl::FailedPreconditionError("there is no shadow to promote");
    }
    state.clear_pinned_version();
    const auto unpinned =
        ChooseVersion(state, ReadCurrentVersion(manager_.bundle_root()),
                      ListVersions(manager_.bundle_root()));
    if (!unpinned.ok() || unpinned->version != shadow->version) {
      state.set_pinned_version(shadow->version);
    }
    return absl::OkStatus();
  });
}

absl::Status BundleCommands::Discard() {
  MutexLock lock(mu_);
  return manager_.DiscardShadow();
}

}  // namespace segue
