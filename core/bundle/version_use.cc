#include "core/bundle/version_use.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/bundle/layout.h"

namespace segue {
namespace {

absl::StatusOr<Descriptor> OpenManifest(const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/", layout::kManifest);
  // Of a FIFO it would wait for a writer.
  Descriptor manifest(
      ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (manifest.is_open()) return manifest;
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
}

}  // namespace

absl::StatusOr<Descriptor> UseVersion(const std::string& folder) {
  ASSIGN_OR_RETURN(Descriptor manifest, OpenManifest(folder));
  if (::flock(manifest.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return absl::NotFoundError(absl::StrCat(folder, " is being removed"));
  }
  return manifest;
}

absl::StatusOr<Descriptor> ClaimVersion(const std::string& folder) {
  ASSIGN_OR_RETURN(Descriptor manifest, OpenManifest(folder));
  if (::flock(manifest.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return absl::FailedPreconditionError(absl::StrCat(folder, " is in use"));
  }
  return manifest;
}

}  // namespace segue
