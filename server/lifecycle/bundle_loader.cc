#include "server/lifecycle/bundle_loader.h"

#include <malloc.h>

#include "absl/strings/str_cat.h"
#include "core/base/signature.h"
#include "core/base/status_macros.h"
#include "core/bundle/manifest.h"
#include "server/base/log.h"
#include "server/lifecycle/warm_up.h"

namespace segue {
namespace {

// Tables that are built from files (ids, attributes) take more than these; what
// a tower allocates while it runs is small beside both.
constexpr double kGrowth = 1.15;
constexpr uint64_t kScratchBytes = uint64_t{16} << 20;

}  // namespace

ReloadOutcome OutcomeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return ReloadOutcome::kMissing;
    case absl::StatusCode::kDataLoss:
      return ReloadOutcome::kCorrupt;
    case absl::StatusCode::kUnauthenticated:
      return ReloadOutcome::kUntrusted;
    case absl::StatusCode::kFailedPrecondition:
      return ReloadOutcome::kIncompatible;
    case absl::StatusCode::kOutOfRange:
      return ReloadOutcome::kTooLarge;
    default:
      return ReloadOutcome::kError;
  }
}

absl::StatusOr<Bundle> VerifyBundle(const std::string& root,
                                    const std::string& version,
                                    const std::string& trusted_keys_file,
                                    uint64_t max_bundle_bytes,
                                    Deadline deadline) {
  OpenOptions options = {.deadline = deadline};
  if (max_bundle_bytes > 0) options.max_served_bytes = max_bundle_bytes;
  if (!trusted_keys_file.empty()) {
    auto keys = TrustedKeys::Read(trusted_keys_file);
    // It is not the bundle that is bad, and nobody is trusted until it is
    // mended.
    if (!keys.ok()) {
      return absl::UnauthenticatedError(
          absl::StrCat("trusted_keys_file: ", keys.status().message()));
    }
    options.trusted_keys = *std::move(keys);
  }
  auto bundle = OpenBundle(absl::StrCat(root, "/", version),
                           VerifyScope::kServed, options);
  if (bundle.ok() && options.trusted_keys) {
    LogInfo("the bundle is signed", {{"bundle_version", bundle->version()},
                                     {"key", bundle->signed_by()}});
  }
  if (absl::IsOutOfRange(bundle.status())) {
    return absl::OutOfRangeError(
        absl::StrCat(bundle.status().message(), " (max_bundle_bytes)"));
  }
  return bundle;
}

uint64_t EstimateMemory(const Bundle& bundle) {
  const auto bytes = static_cast<double>(ServedBytes(bundle.content()));
  return static_cast<uint64_t>(kGrowth * bytes) + kScratchBytes;
}

absl::StatusOr<std::shared_ptr<const ServingSnapshot>> LoadAndWarmUp(
    const Bundle& bundle, int max_batch, Deadline deadline,
    ReloadOutcome& outcome) {
  auto snapshot = LoadServingSnapshot(bundle, deadline);
  outcome = OutcomeOf(snapshot.status());
  // What malloc keeps of what reading took would count as memory in use.
  ::malloc_trim(0);
  RETURN_IF_ERROR(snapshot.status());
  const absl::Status warm = WarmUp(**snapshot, max_batch, deadline);
  if (!warm.ok()) {
    outcome = absl::IsOutOfRange(warm) ? ReloadOutcome::kWrongAnswers
                                       : ReloadOutcome::kWarmUpFailed;
    return warm;
  }
  return snapshot;
}

}  // namespace segue
