// From a version's folder to a snapshot that may serve.
#ifndef SEGUE_SERVER_LIFECYCLE_BUNDLE_LOADER_H_
#define SEGUE_SERVER_LIFECYCLE_BUNDLE_LOADER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/base/deadline.h"
#include "core/bundle/bundle_reader.h"
#include "core/retrieval/serving_snapshot.h"
#include "server/metrics/metrics.h"

namespace segue {

// What a failed step of reading means.
ReloadOutcome OutcomeOf(const absl::Status& status);

// Verifies the served files of `root`/`version`. Unauthenticated unless one of
// the keys of `trusted_keys_file`, as it is now, has signed it (empty: nobody
// has to);
// OutOfRange, before any is read, if they are over `max_bundle_bytes` (0: no
// limit); DeadlineExceeded at the next step after the deadline.
absl::StatusOr<Bundle> VerifyBundle(const std::string& root,
                                    const std::string& version,
                                    const std::string& trusted_keys_file,
                                    uint64_t max_bundle_bytes,
                                    Deadline deadline);

// What the process grows by while such a bundle is loaded, in bytes,
// generously: what is mapped and what is built from it.
uint64_t EstimateMemory(const Bundle& bundle);

// Loads a verified bundle and warms it up; `outcome` says how it went.
// DeadlineExceeded at the next step after the deadline.
absl::StatusOr<std::shared_ptr<const ServingSnapshot>> LoadAndWarmUp(
    const Bundle& bundle, int max_batch, Deadline deadline,
    ReloadOutcome& outcome);

}  // namespace segue

#endif  // SEGUE_SERVER_LIFECYCLE_BUNDLE_LOADER_H_
