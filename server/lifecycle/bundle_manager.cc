#include "server/lifecycle/bundle_manager.h"

#include <malloc.h>

#include <algorithm>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "core/base/signature.h"
#include "core/base/status_macros.h"
#include "core/bundle/bundle_reader.h"
#include "core/bundle/names.h"
#include "server/base/log.h"
#include "server/base/process.h"
#include "server/lifecycle/bundle_loader.h"
#include "server/lifecycle/idle_time.h"
#include "server/lifecycle/version_choice.h"

namespace segue {
namespace {

constexpr int kMaxPollsBetweenTries = 16;

}  // namespace

absl::StatusOr<std::unique_ptr<BundleManager>> BundleManager::Create(
    Options options, SnapshotHolder& holder, Metrics& metrics,
    OnChange on_change, OnShadow on_shadow) {
  if (const std::string& file = options.trusted_keys_file; !file.empty()) {
    // Better found now than with the first bundle.
    const auto keys = TrustedKeys::Read(file);
    if (!keys.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("trusted_keys_file: ", keys.status().message()));
    }
    LogInfo("bundles need a signature",
            {{"trusted_keys_file", file}, {"keys", int64_t{keys->size()}}});
  }
  ASSIGN_OR_RETURN(auto state, RememberedState::Open(options.state_file));
  return absl::WrapUnique(
      new BundleManager(std::move(options), std::move(state), holder, metrics,
                        std::move(on_change), std::move(on_shadow)));
}

BundleManager::BundleManager(Options options,
                             std::unique_ptr<RememberedState> state,
                             SnapshotHolder& holder, Metrics& metrics,
                             OnChange on_change, OnShadow on_shadow)
    : options_(std::move(options)),
      holder_(holder),
      metrics_(metrics),
      on_change_(std::move(on_change)),
      on_shadow_(std::move(on_shadow)),
      state_(std::move(state)),
      stand_in_(state_->Get().highest_version()),
      thread_([this] { Step(); }, options_.poll_interval) {}

absl::Status BundleManager::Follow() {
  return thread_.Do(
      [this]() -> absl::StatusOr<bool> {
        ForgetFailure();
        const StepResult result = Step();
        if (result == StepResult::kFailed) return last_error();
        return result != StepResult::kBusy;
      },
      options_.command_timeout);
}

absl::Status BundleManager::LoadShadow(const std::string& version,
                                       double share) {
  return thread_.Do(
      [this, version, share] { return GoToShadow(version, share); },
      options_.command_timeout);
}

absl::Status BundleManager::DiscardShadow() {
  return thread_.Do(
      [this]() -> absl::StatusOr<bool> {
        const std::string version = VersionOf(holder_.shadow());
        if (version.empty()) {
          return absl::FailedPreconditionError("there is no shadow to discard");
        }
        LogInfo(absl::StrCat("bundle ", version, " is no shadow any more"));
        SetShadow(nullptr, 0);
        FreeUnused();
        return true;
      },
      options_.command_timeout);
}

absl::Status BundleManager::last_error() const {
  MutexLock lock(mu_);
  return last_error_;
}

void BundleManager::SetLastError(const absl::Status& error) {
  MutexLock lock(mu_);
  last_error_ = error;
}

// A command asks for another try.
void BundleManager::ForgetFailure() {
  polls_to_skip_ = 0;
  unloaded_for_.clear();
}

BundleManager::StepResult BundleManager::Step() {
  FreeUnused();
  const auto choice =
      ChooseVersion(state_->Get(), ReadCurrentVersion(options_.bundle_root),
                    ListVersions(options_.bundle_root));
  if (choice.ok()) {
    chosen_by_ = choice->by;
    return GoTo(choice->version);
  }
  return Fail("",
              absl::IsFailedPrecondition(choice.status())
                  ? ReloadOutcome::kNotAllowed
                  : OutcomeOf(choice.status()),
              choice.status());
}

BundleManager::StepResult BundleManager::GoTo(const std::string& version) {
  if (VersionOf(holder_.Get()) == version) {
    failed_version_.clear();
    SetLastError(absl::OkStatus());
    return StepResult::kUnchanged;
  }
  if (VersionOf(holder_.previous()) == version) {
    holder_.SwapBack();
    TellOfLive();
    return StepResult::kPublished;
  }
  if (VersionOf(holder_.shadow()) == version) {
    on_shadow_(nullptr, 0);
    Retire(holder_.PromoteShadow(options_.hold_previous));
    TellOfLive();
    return StepResult::kPublished;
  }
  if (version == failed_version_ && polls_to_skip_ > 0) {
    --polls_to_skip_;
    Restore();
    return StepResult::kDeferred;
  }
  if (!retired_.empty()) return StepResult::kBusy;
  IdleTime idle(holder_, version, options_.idle_loading);
  const auto bundle = idle.Run([&](Deadline deadline) {
    return VerifyBundle(options_.bundle_root, version,
                        options_.trusted_keys_file, options_.max_bundle_bytes,
                        deadline);
  });
  if (!bundle.ok()) {
    return Fail(version, OutcomeOf(bundle.status()), bundle.status());
  }
  if (const auto result = MakeRoom(version, EstimateMemory(*bundle))) {
    return *result;
  }
  ReloadOutcome outcome = ReloadOutcome::kError;
  auto snapshot = idle.Run([&](Deadline deadline) {
    return LoadAndWarmUp(*bundle, options_.max_batch, deadline, outcome);
  });
  if (!snapshot.ok()) return Fail(version, outcome, snapshot.status());
  Publish(*std::move(snapshot));
  return StepResult::kPublished;
}

bool BundleManager::IsTooMuch(uint64_t bytes) const {
  return options_.max_memory_bytes > 0 &&
         ResidentBytes() + bytes > options_.max_memory_bytes;
}

absl::Status BundleManager::TooMuch(uint64_t bytes) const {
  return absl::ResourceExhaustedError(
      absl::StrCat("loading it would take some ", bytes, " bytes beside the ",
                   ResidentBytes(), " that are in use; max_memory_bytes is ",
                   options_.max_memory_bytes));
}

std::optional<BundleManager::StepResult> BundleManager::MakeRoom(
    const std::string& version, uint64_t bytes) {
  const bool can_fit = bytes < options_.max_memory_bytes;
  Retire(holder_.DropPrevious());
  FreeUnused();
  if (!retired_.empty()) return StepResult::kBusy;
  const std::string shadow = VersionOf(holder_.shadow());
  if (!shadow.empty() && IsTooMuch(bytes) && can_fit) {
    LogWarning(absl::StrCat("bundle ", shadow,
                            " is no shadow any more, to make room for ",
                            version));
    SetShadow(nullptr, 0);
    FreeUnused();
    if (!retired_.empty()) return StepResult::kBusy;
  }
  // Once: a version that then turns out to be bad is not worth a second outage.
  if (IsTooMuch(bytes) && options_.unload_first && version != unloaded_for_ &&
      can_fit) {
    Unload(version);
    if (!retired_.empty()) return StepResult::kBusy;
  }
  if (!IsTooMuch(bytes)) return std::nullopt;
  return Fail(version, ReloadOutcome::kOverMemory, TooMuch(bytes));
}

void BundleManager::SetShadow(SnapshotPtr shadow, double share) {
  on_shadow_(shadow, share);
  Retire(holder_.SetShadow(std::move(shadow)));
}

absl::StatusOr<bool> BundleManager::GoToShadow(const std::string& version,
                                               double share) {
  FreeUnused();
  const std::string live = VersionOf(holder_.Get());
  if (live.empty() || live == version) {
    return absl::FailedPreconditionError(
        live.empty() ? "nothing serves yet"
                     : absl::StrCat(version, " serves already"));
  }
  if (VersionOf(holder_.shadow()) == version) {
    on_shadow_(holder_.shadow(), share);
    return true;
  }
  if (VersionOf(holder_.previous()) == version) {
    on_shadow_(holder_.previous(), share);
    Retire(holder_.ShadowPrevious());
    return true;
  }
  if (!retired_.empty()) return false;
  IdleTime idle(holder_, version, options_.idle_loading);
  ASSIGN_OR_RETURN(const Bundle bundle, idle.Run([&](Deadline deadline) {
    return VerifyBundle(options_.bundle_root, version,
                        options_.trusted_keys_file, options_.max_bundle_bytes,
                        deadline);
  }));
  ASSIGN_OR_RETURN(const bool has_room,
                   MakeRoomForShadow(EstimateMemory(bundle)));
  if (!has_room) return false;
  ReloadOutcome outcome = ReloadOutcome::kError;
  ASSIGN_OR_RETURN(SnapshotPtr shadow, idle.Run([&](Deadline deadline) {
    return LoadAndWarmUp(bundle, options_.max_batch, deadline, outcome);
  }));
  LogInfo(absl::StrCat("bundle ", version, " is the shadow of ", live));
  SetShadow(std::move(shadow), share);
  return true;
}

absl::StatusOr<bool> BundleManager::MakeRoomForShadow(uint64_t bytes) {
  if (IsTooMuch(bytes) && bytes >= options_.max_memory_bytes) {
    return TooMuch(bytes);
  }
  SetShadow(nullptr, 0);
  FreeUnused();
  if (retired_.empty() && IsTooMuch(bytes)) {
    Retire(holder_.DropPrevious());
    FreeUnused();
  }
  if (!retired_.empty()) return false;
  if (IsTooMuch(bytes)) return TooMuch(bytes);
  return true;
}

void BundleManager::Unload(const std::string& to_make_room_for) {
  unloaded_for_ = to_make_room_for;
  SnapshotPtr live = holder_.Unload();
  if (live == nullptr) return;
  unloaded_ = live->version;
  LogWarning(absl::StrCat("bundle ", unloaded_,
                          " is unloaded to make room for ", to_make_room_for,
                          "; until that is live, requests get UNAVAILABLE"));
  metrics_.ClearBundle();
  on_change_(nullptr);
  Retire(std::move(live));
  FreeUnused();
}

void BundleManager::Publish(SnapshotPtr next) {
  Retire(holder_.Publish(std::move(next), options_.hold_previous));
  unloaded_.clear();
  unloaded_for_.clear();
  metrics_.CountReload(ReloadOutcome::kSuccess);
  TellOfLive();
}

void BundleManager::TellOfLive() {
  const SnapshotPtr live = holder_.Get();
  stand_in_.clear();
  failed_version_.clear();
  SetLastError(absl::OkStatus());
  metrics_.SetBundle(live->version, live->items.size(), live->bytes);
  LogInfo("the bundle is live",
          {{"bundle_version", live->version},
           {"items", static_cast<int64_t>(live->items.size())},
           {"bytes", static_cast<int64_t>(live->bytes)}});
  Remember(live->version);
  on_change_(live.get());
}

// The highest version that CURRENT led to: a pin may be ahead of it.
void BundleManager::Remember(const std::string& version) {
  if (chosen_by_ == ChosenBy::kPin) return;
  if (!state_->RaiseHighest(version)) return;
  const absl::Status kept = state_->Write();
  if (!kept.ok()) {
    LogWarning(absl::StrCat("what served is not remembered: ", kept.message()));
  }
}

void BundleManager::Retire(SnapshotPtr snapshot) {
  if (snapshot != nullptr) retired_.push_back(std::move(snapshot));
}

// A retired snapshot has no way to new users: once the count is 1, the request
// that was its last user is done.
void BundleManager::FreeUnused() {
  const size_t freed = std::erase_if(retired_, [](const SnapshotPtr& snapshot) {
    return snapshot.use_count() == 1;
  });
  // What malloc keeps would count as memory in use.
  if (freed > 0) ::malloc_trim(0);
}

BundleManager::StepResult BundleManager::Fail(const std::string& version,
                                              ReloadOutcome outcome,
                                              const absl::Status& why) {
  metrics_.CountReload(outcome);
  failures_ = version == failed_version_ ? failures_ + 1 : 1;
  failed_version_ = version;
  // What is missing, not signed, or not to be read, costs nothing to look for.
  polls_to_skip_ =
      outcome == ReloadOutcome::kMissing ||
              outcome == ReloadOutcome::kUntrusted || version.empty()
          ? 0
          : std::min(1 << std::min(failures_ - 1, 10), kMaxPollsBetweenTries) -
                1;
  Restore();
  if (!stand_in_.empty()) StandIn(version);
  const absl::Status error(
      why.code(), absl::StrCat(version.empty() ? options_.bundle_root : version,
                               ": ", why.message()));
  // A poll a second would fill the log with one and the same line.
  if (error != last_error()) {
    const SnapshotPtr live = holder_.Get();
    LogError(live == nullptr
                 ? "no new bundle; nothing is live, requests get "
                   "UNAVAILABLE; trying again"
                 : "no new bundle; what is live stays; trying again",
             {{"bundle_version", version},
              {"outcome", OutcomeName(outcome)},
              {"error", error.message()},
              {"live_version", VersionOf(live)}});
  }
  SetLastError(error);
  return StepResult::kFailed;
}

// What made room for a version that is not good serves again.
void BundleManager::Restore() {
  if (!unloaded_.empty() && ServeAgain(unloaded_)) unloaded_.clear();
}

// The very snapshot, where requests still use it.
bool BundleManager::ServeAgain(const std::string& version) {
  const auto kept = std::find_if(
      retired_.begin(), retired_.end(),
      [&](const SnapshotPtr& one) { return one->version == version; });
  SnapshotPtr again;
  if (kept != retired_.end()) {
    again = std::move(*kept);
    retired_.erase(kept);
  } else {
    ReloadOutcome outcome = ReloadOutcome::kError;
    const auto bundle =
        VerifyBundle(options_.bundle_root, version, options_.trusted_keys_file,
                     0, Deadline::Infinite());
    auto loaded = bundle.ok() ? LoadAndWarmUp(*bundle, options_.max_batch,
                                              Deadline::Infinite(), outcome)
                              : absl::StatusOr<SnapshotPtr>(bundle.status());
    if (!loaded.ok()) {
      LogError(absl::StrCat("bundle ", version, " cannot be loaded again: ",
                            loaded.status().message()));
      return false;
    }
    again = *std::move(loaded);
  }
  metrics_.SetBundle(again->version, again->items.size(), again->bytes);
  LogInfo(absl::StrCat("bundle ", again->version, " is live again"));
  Retire(holder_.Publish(again));
  on_change_(again.get());
  return true;
}

// Tried once, if it is there: reading it costs a processor.
void BundleManager::StandIn(const std::string& for_version) {
  const std::vector<std::string> versions = ListVersions(options_.bundle_root);
  if (stand_in_ == for_version || !state_->Get().pinned_version().empty() ||
      std::find(versions.begin(), versions.end(), stand_in_) ==
          versions.end()) {
    return;
  }
  LogWarning(absl::StrCat("nothing is live: bundle ", stand_in_,
                          ", which served before the start, stands in"));
  ServeAgain(std::exchange(stand_in_, ""));
}

}  // namespace segue
