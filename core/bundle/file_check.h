// Reads files of a bundle's folder without leaving it: no links are followed,
// nothing but regular files is opened.
#ifndef SEGUE_CORE_BUNDLE_FILE_CHECK_H_
#define SEGUE_CORE_BUNDLE_FILE_CHECK_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/deadline.h"
#include "core/base/descriptor.h"
#include "segue/v1/bundle.pb.h"

namespace segue {

// The folder itself, to open files in. NotFound if it is missing; DataLoss if
// it is a link or no folder.
absl::StatusOr<Descriptor> OpenFolder(const std::string& path);

struct FileDigest {
  uint64_t bytes = 0;
  std::string sha256;
};

// Of the file `name` in `folder`; `path` is for messages. DataLoss if it is
// missing, a link, not a regular file, or has more than `max_bytes`; other
// errors of the system keep their code (they may pass). DeadlineExceeded at
// the next step after the deadline.
absl::StatusOr<FileDigest> DigestFile(const Descriptor& folder,
                                      const std::string& name,
                                      const std::string& path,
                                      uint64_t max_bytes, Deadline deadline);

// DataLoss, with `path`, if the manifest's `file` is another one.
absl::Status CheckDigest(const std::string& path, const FileDigest& digest,
                         const v1::File& file);

// The same file's bytes; errors as DigestFile.
absl::StatusOr<std::string> ReadSmallFile(const Descriptor& folder,
                                          const std::string& name,
                                          const std::string& path,
                                          uint64_t max_bytes);

}  // namespace segue

#endif  // SEGUE_CORE_BUNDLE_FILE_CHECK_H_
