// Opens published bundles: nothing in one is parsed before its bytes are known
// to be those that were published.
#ifndef SEGUE_CORE_BUNDLE_BUNDLE_READER_H_
#define SEGUE_CORE_BUNDLE_BUNDLE_READER_H_

#include <cstdint>
#include <limits>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/deadline.h"
#include "segue/v1/bundle.pb.h"

namespace segue {

enum class VerifyScope {
  kServed,  // files that the server loads
  kAll,     // every file of the manifest
};

struct OpenOptions {
  // Of the served files together.
  uint64_t max_served_bytes = std::numeric_limits<uint64_t>::max();
  Deadline deadline = Deadline::Infinite();
  // PEM, Ed25519 public keys (core/base/signature.h), one of which has to have
  // signed the manifest. Empty: signatures are not looked at.
  std::string trusted_keys_file;
};

// A version's folder whose files were found to match its manifest. A value; the
// folder is immutable by contract.
class Bundle {
 public:
  const v1::Manifest& manifest() const { return manifest_; }
  const v1::Content& content() const { return manifest_.content(); }
  const std::string& version() const { return manifest_.version(); }
  const std::string& folder() const { return folder_; }
  // Where the file lies (layout.h).
  std::string Path(absl::string_view name) const;

 private:
  friend absl::StatusOr<Bundle> OpenBundle(const std::string&, VerifyScope,
                                           const OpenOptions&);
  v1::Manifest manifest_;
  std::string folder_;
};

// The version that CURRENT names. NotFound if nothing is published there or the
// version's folder is missing; DataLoss if CURRENT holds anything but the name
// of a version.
absl::StatusOr<std::string> ReadCurrentVersion(const std::string& bundle_root);

// Reads the manifest (bounded), checks it (signature, then format, names, hash
// of the content, that the folder's name is its version), then size and SHA-256
// of each file in `scope`. DataLoss, with file and reason, for a missing,
// changed or truncated file, a link, or anything that is not a regular file;
// Unauthenticated, before anything is parsed, without a signature by one of the
// keys; FailedPrecondition for a newer format; NotFound if the folder is
// missing; InvalidArgument where the keys cannot be read. OutOfRange, before
// any of them is read, if the served files are over the limit. DeadlineExceeded
// at the next step after the deadline.
absl::StatusOr<Bundle> OpenBundle(const std::string& folder, VerifyScope scope,
                                  const OpenOptions& options = {});

}  // namespace segue

#endif  // SEGUE_CORE_BUNDLE_BUNDLE_READER_H_
