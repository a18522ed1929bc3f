// Files as a bundle needs them: bounded reads, read-only mappings, and writes
// that are there whole or not at all (write aside, sync, rename).
#ifndef SEGUE_CORE_BASE_FILE_H_
#define SEGUE_CORE_BASE_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace segue {

// The whole file. NotFound if there is none; FailedPrecondition if it is not a
// regular file or is larger than `max_bytes`.
absl::StatusOr<std::string> ReadFile(const std::string& path,
                                     uint64_t max_bytes);

// A PEM file that a configuration names: keys, certificates. Whatever is wrong
// with it, 1 MiB of size included, is InvalidArgument.
absl::StatusOr<std::string> ReadPemFile(const std::string& path);

// Writes `path`.tmp, syncs it, renames it to `path` and syncs the folder: after
// a crash the file has its old content or its new one. One writer a path.
absl::Status WriteFileAtomically(const std::string& path,
                                 absl::string_view content);

// Makes what was written to a file or a folder survive a power cut.
absl::Status SyncFile(const std::string& path);
absl::Status SyncFolder(const std::string& path);

// Creates the folder and its parents; fine if it is there.
absl::Status CreateFolders(const std::string& path);

// A file mapped for reading. The file must not change while it is mapped (a
// truncated one is SIGBUS): bundle files are immutable. Thread-compatible;
// bytes() may be read from any thread.
class MappedFile {
 public:
  // NotFound, or FailedPrecondition if it is not a regular file.
  static absl::StatusOr<MappedFile> Open(const std::string& path);

  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  absl::string_view bytes() const {
    return {static_cast<const char*>(data_), size_};
  }

 private:
  void* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace segue

#endif  // SEGUE_CORE_BASE_FILE_H_
