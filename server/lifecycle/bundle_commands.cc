// What operators ask of a BundleManager.
#include <algorithm>
#include <chrono>
#include <optional>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/bundle/names.h"
#include "server/lifecycle/bundle_manager.h"
#include "server/lifecycle/version_choice.h"

namespace segue {
namespace {

// Between looks whether a version that has to go is still in use.
constexpr auto kBusyWait = std::chrono::milliseconds(20);

void AddDenied(const std::string& version, v1::ServerState& state) {
  if (!IsDenied(state, version)) state.add_denied_versions(version);
  // CURRENT may lead back behind it now.
  if (state.highest_version() == version) state.clear_highest_version();
}

}  // namespace

std::optional<BundleManager::StepResult> BundleManager::StepNow() {
  {
    MutexLock lock(mu_);
    if (stop_) return std::nullopt;
    if (polls_) {
      const uint64_t ticket = ++asked_;
      changed_.NotifyAll();
      while (answered_ < ticket && !stop_) changed_.Wait(mu_);
      if (answered_ < ticket) return std::nullopt;
      return last_result_;
    }
  }
  ForgetFailure();
  return Step();
}

absl::Status BundleManager::Follow() {
  const auto end = std::chrono::steady_clock::now() + options_.command_timeout;
  while (true) {
    const std::optional<StepResult> result = StepNow();
    if (!result.has_value()) {
      return absl::UnavailableError("the server is stopping");
    }
    if (*result == StepResult::kUnchanged ||
        *result == StepResult::kPublished) {
      return absl::OkStatus();
    }
    if (*result != StepResult::kBusy) return last_error();
    const auto now = std::chrono::steady_clock::now();
    if (now >= end) {
      return absl::UnavailableError(
          "requests still use a version that has to go first; try again");
    }
    MutexLock lock(mu_);
    while (!stop_ && changed_.WaitUntil(mu_, now + kBusyWait)) {
    }
  }
}

absl::Status BundleManager::Command(const Change& change) {
  MutexLock one_at_a_time(command_mu_);
  v1::ServerState before;
  {
    MutexLock lock(mu_);
    before = state_;
    v1::ServerState after = before;
    RETURN_IF_ERROR(change(after));
    state_ = after;
  }
  absl::Status followed = Follow();
  if (followed.ok()) {
    const absl::Status kept = WriteState();
    if (kept.ok()) return absl::OkStatus();
    return absl::Status(
        kept.code(),
        absl::StrCat("it is followed, but not remembered after a restart: ",
                     kept.message()));
  }
  MutexLock lock(mu_);
  // Steps may have served something newer meanwhile.
  before.set_highest_version(
      std::max(before.highest_version(), state_.highest_version()));
  state_ = before;
  return followed;
}

absl::Status BundleManager::CheckVersion(const std::string& version) const {
  if (!IsVersionName(version)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", version.substr(0, 64), "\" is no version's name"));
  }
  const std::vector<std::string> versions = ListVersions(options_.bundle_root);
  if (std::find(versions.begin(), versions.end(), version) == versions.end()) {
    return absl::NotFoundError(absl::StrCat("there is no version ", version,
                                            " in ", options_.bundle_root));
  }
  return absl::OkStatus();
}

absl::Status BundleManager::Pin(const std::string& version) {
  RETURN_IF_ERROR(CheckVersion(version));
  return Command([&](v1::ServerState& state) {
    state.set_pinned_version(version);
    return absl::OkStatus();
  });
}

absl::Status BundleManager::Unpin() {
  return Command([](v1::ServerState& state) {
    state.clear_pinned_version();
    return absl::OkStatus();
  });
}

absl::Status BundleManager::Deny(const std::string& version) {
  RETURN_IF_ERROR(CheckVersion(version));
  return Command([&](v1::ServerState& state) -> absl::Status {
    if (state.pinned_version() == version) {
      return absl::FailedPreconditionError(
          absl::StrCat(version, " is pinned; unpin it first"));
    }
    AddDenied(version, state);
    return absl::OkStatus();
  });
}

absl::Status BundleManager::Allow(const std::string& version) {
  return Command([&](v1::ServerState& state) -> absl::Status {
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

std::string BundleManager::VersionBefore(const std::string& live,
                                         const v1::ServerState& state) const {
  std::string before = VersionOf(holder_.previous());
  if (before >= live || IsDenied(state, before)) before.clear();
  for (const std::string& version : ListVersions(options_.bundle_root)) {
    if (version < live && version > before && !IsDenied(state, version)) {
      before = version;
    }
  }
  return before;
}

absl::Status BundleManager::Rollback() {
  return Command([&](v1::ServerState& state) -> absl::Status {
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

}  // namespace segue
