#include "core/bundle/file_check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"

namespace segue {
namespace {

constexpr size_t kChunk = 1 << 20;

// Visits the bytes of a regular file in order. O_NONBLOCK: opening a FIFO must
// not hang.
absl::Status VisitFile(
    const Descriptor& folder, const std::string& name, const std::string& path,
    uint64_t max_bytes,
    const std::function<absl::Status(absl::string_view)>& visit) {
  const Descriptor fd(::openat(folder.get(), name.c_str(),
                               O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd.is_open()) {
    if (errno == ENOENT) {
      return absl::DataLossError(absl::StrCat(path, " is missing"));
    }
    if (errno == ELOOP) {
      return absl::DataLossError(
          absl::StrCat(path, " is a symbolic link, a bundle has none"));
    }
    if (errno == ENXIO) {  // a socket
      return absl::DataLossError(absl::StrCat(path, " is not a regular file"));
    }
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
  }
  struct stat info;
  if (::fstat(fd.get(), &info) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot stat ", path));
  }
  if (!S_ISREG(info.st_mode)) {
    return absl::DataLossError(absl::StrCat(path, " is not a regular file"));
  }
  const auto too_large = [&] {
    return absl::DataLossError(absl::StrCat(
        path, " has more than the ", max_bytes, " bytes that it should have"));
  };
  if (static_cast<uint64_t>(info.st_size) > max_bytes) return too_large();
  std::vector<char> chunk(kChunk);
  uint64_t total = 0;
  while (true) {
    const ssize_t n = ::read(fd.get(), chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      return absl::ErrnoToStatus(errno, absl::StrCat("cannot read ", path));
    }
    if (n == 0) return absl::OkStatus();
    total += static_cast<uint64_t>(n);
    if (total > max_bytes) return too_large();
    RETURN_IF_ERROR(visit({chunk.data(), static_cast<size_t>(n)}));
  }
}

}  // namespace

absl::StatusOr<Descriptor> OpenFolder(const std::string& path) {
  Descriptor folder(
      ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (folder.is_open()) return folder;
  if (errno == ENOTDIR || errno == ELOOP) {
    return absl::DataLossError(
        absl::StrCat(path, " is a link or a file, not a folder"));
  }
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
}

absl::StatusOr<FileDigest> DigestFile(const Descriptor& folder,
                                      const std::string& name,
                                      const std::string& path,
                                      uint64_t max_bytes, Deadline deadline) {
  Sha256 hash;
  FileDigest digest;
  RETURN_IF_ERROR(
      VisitFile(folder, name, path, max_bytes, [&](absl::string_view bytes) {
        hash.Update(bytes);
        digest.bytes += bytes.size();
        return deadline.Check();
      }));
  digest.sha256 = hash.Finish();
  return digest;
}

absl::Status CheckDigest(const std::string& path, const FileDigest& digest,
                         const v1::File& file) {
  if (digest.bytes != static_cast<uint64_t>(file.bytes())) {
    return absl::DataLossError(absl::StrCat(path, " has ", digest.bytes,
                                            " bytes, the manifest says ",
                                            file.bytes()));
  }
  if (digest.sha256 != file.sha256()) {
    return absl::DataLossError(
        absl::StrCat(path, " was changed: its SHA-256 is ", digest.sha256,
                     ", the manifest says ", file.sha256()));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadSmallFile(const Descriptor& folder,
                                          const std::string& name,
                                          const std::string& path,
                                          uint64_t max_bytes) {
  std::string content;
  RETURN_IF_ERROR(
      VisitFile(folder, name, path, max_bytes, [&](absl::string_view bytes) {
        absl::StrAppend(&content, bytes);
        return absl::OkStatus();
      }));
  return content;
}

}  // namespace segue
