#include "core/base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/descriptor.h"
#include "core/base/status_macros.h"

namespace segue {
namespace {

constexpr uint64_t kMaxPemBytes = uint64_t{1} << 20;

absl::Status Failed(absl::string_view what, const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(what, " ", path));
}

// O_NONBLOCK: opening a FIFO must not hang.
constexpr int kReadFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;

absl::StatusOr<uint64_t> RegularFileSize(int fd, const std::string& path) {
  struct stat info;
  if (::fstat(fd, &info) != 0) return Failed("cannot stat", path);
  if (!S_ISREG(info.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is not a regular file"));
  }
  return static_cast<uint64_t>(info.st_size);
}

absl::Status SyncPath(const std::string& path, int flags) {
  Descriptor fd(::open(path.c_str(), flags | O_CLOEXEC));
  if (fd.get() < 0) return Failed("cannot open", path);
  if (::fsync(fd.get()) != 0) return Failed("cannot sync", path);
  return absl::OkStatus();
}

absl::Status WriteAndSync(const std::string& path, absl::string_view content) {
  Descriptor fd(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (fd.get() < 0) return Failed("cannot create", path);
  while (!content.empty()) {
    const ssize_t n = ::write(fd.get(), content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Failed("cannot write", path);
    content.remove_prefix(n);
  }
  if (::fsync(fd.get()) != 0) return Failed("cannot sync", path);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path,
                                     uint64_t max_bytes) {
  Descriptor fd(::open(path.c_str(), kReadFlags));
  if (fd.get() < 0) return Failed("cannot open", path);
  ASSIGN_OR_RETURN(uint64_t size, RegularFileSize(fd.get(), path));
  if (size > max_bytes) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, " has ", size, " bytes, more than the ", max_bytes, " allowed"));
  }
  std::string content(size, '\0');
  size_t done = 0;
  while (done < size) {
    const ssize_t n = ::read(fd.get(), content.data() + done, size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Failed("cannot read", path);
    if (n == 0) break;
    done += n;
  }
  content.resize(done);
  return content;
}

absl::StatusOr<std::string> ReadPemFile(const std::string& path) {
  auto pem = ReadFile(path, kMaxPemBytes);
  if (pem.ok()) return pem;
  return absl::InvalidArgumentError(pem.status().message());
}

absl::Status WriteFileAtomically(const std::string& path,
                                 absl::string_view content) {
  const std::string aside = path + ".tmp";
  absl::Status written = WriteAndSync(aside, content);
  if (written.ok() && ::rename(aside.c_str(), path.c_str()) != 0) {
    written = Failed("cannot rename to", path);
  }
  if (!written.ok()) {
    ::unlink(aside.c_str());
    return written;
  }
  const std::string folder = std::filesystem::path(path).parent_path();
  return SyncFolder(folder.empty() ? "." : folder);
}

absl::Status SyncFile(const std::string& path) {
  return SyncPath(path, O_RDONLY);
}

absl::Status SyncFolder(const std::string& path) {
  return SyncPath(path, O_RDONLY | O_DIRECTORY);
}

absl::Status CreateFolders(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    return absl::ErrnoToStatus(error.value(),
                               absl::StrCat("cannot create folder ", path));
  }
  return absl::OkStatus();
}

absl::StatusOr<MappedFile> MappedFile::Open(const std::string& path) {
  Descriptor fd(::open(path.c_str(), kReadFlags));
  if (fd.get() < 0) return Failed("cannot open", path);
  MappedFile file;
  ASSIGN_OR_RETURN(file.size_, RegularFileSize(fd.get(), path));
  if (file.size_ == 0) return file;
  void* data = ::mmap(nullptr, file.size_, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (data == MAP_FAILED) return Failed("cannot map", path);
  file.data_ = data;
  return file;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

}  // namespace segue
