// Whether somebody serves from a version, so that no publisher removes it.
#ifndef SEGUE_CORE_BUNDLE_VERSION_USE_H_
#define SEGUE_CORE_BUNDLE_VERSION_USE_H_

#include <string>

#include "absl/status/statusor.h"
#include "core/base/descriptor.h"

namespace segue {

// Locks on the manifest (flock): they end with the descriptor, and so with the
// process, however it ends. They are seen by processes of one machine, and over
// a network where its file system passes locks on (NFS does).

// As one of any number of users. NotFound where the version is being removed,
// or is gone. A file system that has no locks gives a descriptor without one.
absl::StatusOr<Descriptor> UseVersion(const std::string& folder);

// As the only one, who may remove it. FailedPrecondition where it is in use;
// NotFound where it has no manifest.
absl::StatusOr<Descriptor> ClaimVersion(const std::string& folder);

}  // namespace segue

#endif  // SEGUE_CORE_BUNDLE_VERSION_USE_H_
