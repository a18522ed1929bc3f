#include "server/bundle_watcher.h"

#include <sys/resource.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/bundle/bundle_reader.h"
#include "server/log.h"
#include "server/warm_up.h"

namespace segue {
namespace {

constexpr int kMaxPollsBetweenTries = 16;
// Verifying and loading must not take processor time from requests.
constexpr int kNiceness = 10;

ReloadOutcome OutcomeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return ReloadOutcome::kMissing;
    case absl::StatusCode::kDataLoss:
      return ReloadOutcome::kCorrupt;
    case absl::StatusCode::kFailedPrecondition:
      return ReloadOutcome::kIncompatible;
    case absl::StatusCode::kResourceExhausted:
      return ReloadOutcome::kTooLarge;
    default:
      return ReloadOutcome::kError;
  }
}

}  // namespace

BundleWatcher::BundleWatcher(
    Options options, SnapshotHolder& holder, Metrics& metrics,
    std::function<void(const ServingSnapshot&)> on_publish)
    : options_(std::move(options)),
      holder_(holder),
      metrics_(metrics),
      on_publish_(std::move(on_publish)) {}

BundleWatcher::~BundleWatcher() { Stop(); }

void BundleWatcher::Start() {
  thread_ = std::thread([this] {
    // On Linux this is the calling thread's niceness alone.
    ::setpriority(PRIO_PROCESS, 0, kNiceness);
    Poll();
  });
}

void BundleWatcher::Stop() {
  {
    MutexLock lock(mu_);
    stop_ = true;
  }
  stopping_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

void BundleWatcher::Poll() {
  while (true) {
    Step();
    const auto next = std::chrono::steady_clock::now() + options_.poll_interval;
    MutexLock lock(mu_);
    while (!stop_ && stopping_.WaitUntil(mu_, next)) {
    }
    if (stop_) return;
  }
}

absl::Status BundleWatcher::last_error() const {
  MutexLock lock(mu_);
  return last_error_;
}

void BundleWatcher::SetLastError(const absl::Status& error) {
  MutexLock lock(mu_);
  last_error_ = error;
}

BundleWatcher::StepResult BundleWatcher::Step() {
  FreeUnused();
  const auto version = ReadCurrentVersion(options_.bundle_root);
  if (!version.ok()) {
    return Fail("", OutcomeOf(version.status()), version.status());
  }
  if (*version == live_version_) {
    failed_version_.clear();
    SetLastError(absl::OkStatus());
    return StepResult::kUnchanged;
  }
  if (*version == failed_version_ && polls_to_skip_ > 0) {
    --polls_to_skip_;
    return StepResult::kDeferred;
  }
  if (!retired_.empty()) return StepResult::kBusy;

  ReloadOutcome outcome = ReloadOutcome::kError;
  auto snapshot = Load(*version, outcome);
  if (!snapshot.ok()) return Fail(*version, outcome, snapshot.status());
  auto previous = holder_.Publish(*snapshot);
  if (previous != nullptr) retired_.push_back(std::move(previous));
  live_version_ = *version;
  failed_version_.clear();
  SetLastError(absl::OkStatus());
  metrics_.SetBundle(*version, (*snapshot)->items.size(), (*snapshot)->bytes);
  metrics_.CountReload(ReloadOutcome::kSuccess);
  LogInfo(absl::StrCat("bundle ", *version,
                       " is live: ", (*snapshot)->items.size(), " items, ",
                       (*snapshot)->bytes, " bytes"));
  on_publish_(**snapshot);
  return StepResult::kPublished;
}

absl::StatusOr<std::shared_ptr<const ServingSnapshot>> BundleWatcher::Load(
    const std::string& version, ReloadOutcome& outcome) const {
  const auto bundle = OpenBundle(
      absl::StrCat(options_.bundle_root, "/", version), VerifyScope::kServed,
      options_.max_bundle_bytes > 0 ? options_.max_bundle_bytes
                                    : std::numeric_limits<uint64_t>::max());
  outcome = OutcomeOf(bundle.status());
  if (outcome == ReloadOutcome::kTooLarge) {
    return absl::ResourceExhaustedError(
        absl::StrCat(bundle.status().message(), " (max_bundle_bytes)"));
  }
  RETURN_IF_ERROR(bundle.status());
  auto snapshot = LoadServingSnapshot(*bundle);
  outcome = OutcomeOf(snapshot.status());
  RETURN_IF_ERROR(snapshot.status());
  const absl::Status warm = WarmUp(**snapshot, options_.max_batch);
  if (!warm.ok()) outcome = ReloadOutcome::kWarmUpFailed;
  RETURN_IF_ERROR(warm);
  return snapshot;
}

// A retired snapshot has no way to new users: once the count is 1, the request
// that was its last user is done.
void BundleWatcher::FreeUnused() {
  retired_.erase(std::remove_if(retired_.begin(), retired_.end(),
                                [](const auto& snapshot) {
                                  return snapshot.use_count() == 1;
                                }),
                 retired_.end());
}

BundleWatcher::StepResult BundleWatcher::Fail(const std::string& version,
                                              ReloadOutcome outcome,
                                              const absl::Status& why) {
  metrics_.CountReload(outcome);
  failures_ = version == failed_version_ ? failures_ + 1 : 1;
  failed_version_ = version;
  // What is missing costs nothing to look for.
  polls_to_skip_ =
      outcome == ReloadOutcome::kMissing
          ? 0
          : std::min(1 << std::min(failures_ - 1, 10), kMaxPollsBetweenTries) -
                1;
  const absl::Status error(
      why.code(), absl::StrCat(version.empty() ? options_.bundle_root : version,
                               ": ", why.message()));
  // A poll a second would fill the log with one and the same line.
  if (error != last_error()) {
    LogError(absl::StrCat("no new bundle from ", error.message(), "; ",
                          live_version_.empty()
                              ? "nothing is live, requests get UNAVAILABLE"
                              : absl::StrCat(live_version_, " stays live"),
                          "; trying again"));
  }
  SetLastError(error);
  return StepResult::kFailed;
}

}  // namespace segue
