#include "core/bundle/bundle_reader.h"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/sha256.h"
#include "core/base/signature.h"
#include "core/base/status_macros.h"
#include "core/bundle/file_check.h"
#include "core/bundle/layout.h"
#include "core/bundle/manifest.h"
#include "core/bundle/names.h"

namespace segue {
namespace {

constexpr uint64_t kMaxCurrentBytes = 256;

std::string WithoutTrailingSlashes(std::string folder) {
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  return folder;
}

absl::Status VerifyFile(const Descriptor& folder, const std::string& path,
                        const v1::File& file, Deadline deadline) {
  ASSIGN_OR_RETURN(const FileDigest digest,
                   DigestFile(folder, file.name(), path,
                              static_cast<uint64_t>(file.bytes()), deadline));
  return CheckDigest(path, digest, file);
}

// Which key it was.
absl::StatusOr<std::string> CheckSignature(const Descriptor& folder,
                                           const Bundle& bundle,
                                           absl::string_view manifest,
                                           const TrustedKeys& keys) {
  const std::string path = bundle.Path(layout::kSignature);
  const auto signature =
      ReadSmallFile(folder, layout::kSignature, path, kSignatureBytes);
  if (absl::IsDataLoss(signature.status())) {
    return absl::UnauthenticatedError(absl::StrCat(
        "the bundle is not signed: ", signature.status().message()));
  }
  RETURN_IF_ERROR(signature.status());
  if (auto key = keys.WhoSigned(manifest, *signature)) return *std::move(key);
  return absl::UnauthenticatedError(absl::StrCat(path, " is no signature of ",
                                                 layout::kManifest,
                                                 " by a key of ", keys.path()));
}

}  // namespace

std::string Bundle::Path(absl::string_view name) const {
  return absl::StrCat(folder_, "/", name);
}

absl::StatusOr<std::string> ReadCurrentVersion(const std::string& bundle_root) {
  const std::string path = absl::StrCat(bundle_root, "/", layout::kCurrent);
  struct stat info;
  if (::lstat(path.c_str(), &info) != 0) {
    // Where a file took the root's place nothing is published either.
    return absl::ErrnoToStatus(
        errno == ENOTDIR ? ENOENT : errno,
        absl::StrCat("no bundle is published: cannot find ", path));
  }
  ASSIGN_OR_RETURN(const Descriptor root, OpenFolder(bundle_root + "/."));
  ASSIGN_OR_RETURN(
      const std::string content,
      ReadSmallFile(root, layout::kCurrent, path, kMaxCurrentBytes));
  absl::string_view version = content;
  if (!absl::ConsumeSuffix(&version, "\n") || !IsVersionName(version)) {
    return absl::DataLossError(absl::StrCat(
        path, " does not hold the name of a version and a newline"));
  }
  const std::string folder = absl::StrCat(bundle_root, "/", version);
  if (::lstat(folder.c_str(), &info) != 0) {
    return absl::ErrnoToStatus(
        errno, absl::StrCat(path, " names ", version,
                            ", there is no such folder beside it"));
  }
  if (!S_ISDIR(info.st_mode)) {
    return absl::DataLossError(
        absl::StrCat(path, " names ", version, ", which is no folder"));
  }
  return std::string(version);
}

absl::StatusOr<Bundle> OpenBundle(const std::string& folder, VerifyScope scope,
                                  const OpenOptions& options) {
  Bundle bundle;
  bundle.folder_ = WithoutTrailingSlashes(folder);
  ASSIGN_OR_RETURN(const Descriptor opened, OpenFolder(bundle.folder_));
  const std::string path = bundle.Path(layout::kManifest);
  ASSIGN_OR_RETURN(
      const std::string json,
      ReadSmallFile(opened, layout::kManifest, path, kMaxManifestBytes));
  if (options.trusted_keys) {
    ASSIGN_OR_RETURN(bundle.signed_by_, CheckSignature(opened, bundle, json,
                                                       *options.trusted_keys));
  }
  ASSIGN_OR_RETURN(bundle.manifest_, ParseManifest(json, path));
  const std::string name =
      std::filesystem::path(bundle.folder_).filename().string();
  if (name != bundle.version()) {
    return absl::DataLossError(absl::StrCat(path, " is of version ",
                                            bundle.version(),
                                            ", its folder is called ", name));
  }
  if (const uint64_t bytes = ServedBytes(bundle.content());
      bytes > options.max_served_bytes) {
    return absl::OutOfRangeError(absl::StrCat(bundle.folder_, " has ", bytes,
                                              " bytes to serve, more than ",
                                              options.max_served_bytes));
  }
  if (scope == VerifyScope::kManifest) return bundle;
  for (const v1::File& file : bundle.content().files()) {
    if (scope == VerifyScope::kServed && !file.served()) continue;
    RETURN_IF_ERROR(
        VerifyFile(opened, bundle.Path(file.name()), file, options.deadline));
  }
  if (scope == VerifyScope::kAll) {
    for (const v1::File& file : bundle.manifest().measured_files()) {
      RETURN_IF_ERROR(
          VerifyFile(opened, bundle.Path(file.name()), file, options.deadline));
    }
  }
  return bundle;
}

absl::StatusOr<std::string> ReadListedFile(const Bundle& bundle,
                                           absl::string_view name,
                                           uint64_t max_bytes) {
  const v1::File* file = FindFile(bundle.content(), name);
  if (file == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat(bundle.folder(), " has no ", name));
  }
  ASSIGN_OR_RETURN(const Descriptor folder, OpenFolder(bundle.folder()));
  const std::string path = bundle.Path(name);
  ASSIGN_OR_RETURN(std::string bytes,
                   ReadSmallFile(folder, file->name(), path, max_bytes));
  RETURN_IF_ERROR(
      CheckDigest(path, {bytes.size(), Sha256::OfString(bytes)}, *file));
  return bytes;
}

}  // namespace segue
