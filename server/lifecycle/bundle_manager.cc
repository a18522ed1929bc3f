#include "server/lifecycle/bundle_manager.h"

#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/bundle/bundle_reader.h"
#include "core/bundle/names.h"
#include "server/lifecycle/bundle_loader.h"
#include "server/lifecycle/state_file.h"
#include "server/lifecycle/version_choice.h"
#include "server/log.h"
#include "server/process.h"

namespace segue {
namespace {

constexpr int kMaxPollsBetweenTries = 16;
// Verifying and loading must not take processor time from requests.
constexpr int kNiceness = 10;

}  // namespace

absl::StatusOr<std::unique_ptr<BundleManager>> BundleManager::Create(
    Options options, SnapshotHolder& holder, Metrics& metrics,
    OnChange on_change) {
  ASSIGN_OR_RETURN(v1::ServerState state, ReadStateFile(options.state_file));
  // Better now than when a rollback is to be remembered.
  RETURN_IF_ERROR(WriteStateFile(options.state_file, state));
  return absl::WrapUnique(new BundleManager(std::move(options),
                                            std::move(state), holder, metrics,
                                            std::move(on_change)));
}

BundleManager::BundleManager(Options options, v1::ServerState state,
                             SnapshotHolder& holder, Metrics& metrics,
                             OnChange on_change)
    : options_(std::move(options)),
      holder_(holder),
      metrics_(metrics),
      on_change_(std::move(on_change)),
      state_(std::move(state)) {}

BundleManager::~BundleManager() { Stop(); }

void BundleManager::Start() {
  {
    MutexLock lock(mu_);
    polls_ = true;
  }
  thread_ = std::thread([this] {
    // On Linux this is the calling thread's niceness alone.
    ::setpriority(PRIO_PROCESS, 0, kNiceness);
    Poll();
  });
}

void BundleManager::Stop() {
  {
    MutexLock lock(mu_);
    stop_ = true;
  }
  changed_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

void BundleManager::Poll() {
  while (true) {
    uint64_t asked, answered;
    {
      MutexLock lock(mu_);
      if (stop_) return;
      asked = asked_;
      answered = answered_;
    }
    if (asked != answered) ForgetFailure();
    const StepResult result = Step();
    const auto next = std::chrono::steady_clock::now() + options_.poll_interval;
    MutexLock lock(mu_);
    last_result_ = result;
    answered_ = asked;
    changed_.NotifyAll();
    while (!stop_ && asked_ == answered_ && changed_.WaitUntil(mu_, next)) {
    }
  }
}

absl::Status BundleManager::last_error() const {
  MutexLock lock(mu_);
  return last_error_;
}

void BundleManager::SetLastError(const absl::Status& error) {
  MutexLock lock(mu_);
  last_error_ = error;
}

v1::ServerState BundleManager::state() const {
  MutexLock lock(mu_);
  return state_;
}

// A command asks for another try.
void BundleManager::ForgetFailure() {
  polls_to_skip_ = 0;
  unloaded_for_.clear();
}

BundleManager::StepResult BundleManager::Step() {
  FreeUnused();
  const auto choice =
      ChooseVersion(state(), ReadCurrentVersion(options_.bundle_root),
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
  if (version == failed_version_ && polls_to_skip_ > 0) {
    --polls_to_skip_;
    if (!unloaded_.empty()) Restore();
    return StepResult::kDeferred;
  }
  if (!retired_.empty()) return StepResult::kBusy;
  const auto bundle =
      VerifyBundle(options_.bundle_root, version, options_.max_bundle_bytes);
  if (!bundle.ok()) {
    return Fail(version, OutcomeOf(bundle.status()), bundle.status());
  }
  if (const auto result = MakeRoom(version, EstimateMemory(*bundle))) {
    return *result;
  }
  ReloadOutcome outcome = ReloadOutcome::kError;
  auto snapshot = LoadAndWarmUp(*bundle, options_.max_batch, outcome);
  if (!snapshot.ok()) return Fail(version, outcome, snapshot.status());
  Publish(*std::move(snapshot));
  return StepResult::kPublished;
}

std::optional<BundleManager::StepResult> BundleManager::MakeRoom(
    const std::string& version, uint64_t bytes) {
  const auto too_much = [&] {
    return options_.max_memory_bytes > 0 &&
           ResidentBytes() + bytes > options_.max_memory_bytes;
  };
  Retire(holder_.DropPrevious());
  FreeUnused();
  if (!retired_.empty()) return StepResult::kBusy;
  // Once: a version that then turns out to be bad is not worth a second outage.
  if (too_much() && options_.unload_first && version != unloaded_for_ &&
      bytes < options_.max_memory_bytes) {
    Unload(version);
    if (!retired_.empty()) return StepResult::kBusy;
  }
  if (!too_much()) return std::nullopt;
  return Fail(version, ReloadOutcome::kOverMemory,
              absl::ResourceExhaustedError(absl::StrCat(
                  "loading it would take some ", bytes, " bytes beside the ",
                  ResidentBytes(), " that are in use; max_memory_bytes is ",
                  options_.max_memory_bytes)));
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
  {
    MutexLock lock(mu_);
    if (version <= state_.highest_version()) return;
    state_.set_highest_version(version);
  }
  const absl::Status kept = WriteState();
  if (!kept.ok()) {
    LogWarning(absl::StrCat("what served is not remembered: ", kept.message()));
  }
}

absl::Status BundleManager::WriteState() {
  MutexLock writing(file_mu_);
  return WriteStateFile(options_.state_file, state());
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
  // What is missing, or not to be read, costs nothing to look for.
  polls_to_skip_ =
      outcome == ReloadOutcome::kMissing || version.empty()
          ? 0
          : std::min(1 << std::min(failures_ - 1, 10), kMaxPollsBetweenTries) -
                1;
  if (!unloaded_.empty()) Restore();
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

// What made room for a version that is not good serves again: the very
// snapshot, where requests still use it.
void BundleManager::Restore() {
  const auto kept = std::find_if(
      retired_.begin(), retired_.end(),
      [&](const SnapshotPtr& one) { return one->version == unloaded_; });
  SnapshotPtr again;
  if (kept != retired_.end()) {
    again = std::move(*kept);
    retired_.erase(kept);
  } else {
    ReloadOutcome outcome = ReloadOutcome::kError;
    const auto bundle = VerifyBundle(options_.bundle_root, unloaded_, 0);
    auto loaded = bundle.ok()
                      ? LoadAndWarmUp(*bundle, options_.max_batch, outcome)
                      : absl::StatusOr<SnapshotPtr>(bundle.status());
    if (!loaded.ok()) {
      LogError(absl::StrCat("bundle ", unloaded_, " cannot be loaded again: ",
                            loaded.status().message(), "; trying again"));
      return;
    }
    again = *std::move(loaded);
  }
  unloaded_.clear();
  metrics_.SetBundle(again->version, again->items.size(), again->bytes);
  LogInfo(absl::StrCat("bundle ", again->version, " is live again"));
  Retire(holder_.Publish(again));
  on_change_(again.get());
}

}  // namespace segue
