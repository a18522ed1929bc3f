// Opens published bundles: nothing in one is parsed before its bytes are known
// to be those that were published.
#ifndef SEGUE_CORE_BUNDLE_BUNDLE_READER_H_
#define SEGUE_CORE_BUNDLE_BUNDLE_READER_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/deadline.h"
#include "core/base/signature.h"
#include "segue/v1/bundle.pb.h"

namespace segue {

enum class VerifyScope {
  kManifest,  // no file
  kServed,    // files that the server loads
  kAll,       // every file of the manifest
};

struct OpenOptions {
  // Of the served files together.
  uint64_t max_served_bytes = std::numeric_limits<uint64_t>::max();
  Deadline deadline = Deadline::Infinite();
  // One has to have signed the manifest. Unset: signatures are not looked at.
  std::optional<TrustedKeys> trusted_keys;
};

// A version's folder whose files were found to match its manifest. A value; the
// folder is immutable by contract.
class Bundle {
 public:
  const v1::Manifest& manifest() const { return manifest_; }
  const v1::Content& content() const { return manifest_.content(); }
  const std::string& version() const { return manifest_.version(); }
  const std::string& folder() const { return folder_; }
  // Which of the trusted keys has (TrustedKeys::WhoSigned()). Empty: nobody
  // asked.
  const std::string& signed_by() const { return signed_by_; }
  // Where the file lies (layout.h).
  std::string Path(absl::string_view name) const;

 private:
  friend absl::StatusOr<Bundle> OpenBundle(const std::string&, VerifyScope,
                                           const OpenOptions&);
  v1::Manifest manifest_;
  std::string folder_;
  std::string signed_by_;
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
// trusted keys; FailedPrecondition for a newer format; NotFound if the folder
// is missing. OutOfRange, before any of them is read, if the served files are
// over the limit. DeadlineExceeded at the next step after the deadline.
absl::StatusOr<Bundle> OpenBundle(const std::string& folder, VerifyScope scope,
                                  const OpenOptions& options = {});

// The bytes of a file, at most `max_bytes`, that are those of the manifest, in
// whatever scope the bundle was opened. FailedPrecondition if that does not
// list it; else errors as OpenBundle.
absl::StatusOr<std::string> ReadListedFile(const Bundle& bundle,
                                           absl::string_view name,
                                           uint64_t max_bytes);

}  // namespace segue

#endif  // SEGUE_CORE_BUNDLE_BUNDLE_READER_H_
