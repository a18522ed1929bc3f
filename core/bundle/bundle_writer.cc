#include "core/bundle/bundle_writer.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <system_error>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/descriptor.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/bundle/bundle_reader.h"
#include "core/bundle/file_check.h"
#include "core/bundle/layout.h"
#include "core/bundle/manifest.h"
#include "core/bundle/names.h"
#include "core/bundle/version_use.h"

namespace segue {
namespace {

namespace fs = std::filesystem;

constexpr char kVersionTime[] = "%E4Y%m%dT%H%M%SZ";

// One publisher a root; the lock goes with the descriptor, and so with the
// process, however it ends.
absl::StatusOr<Descriptor> LockRoot(const std::string& root) {
  const std::string path = absl::StrCat(root, "/", layout::kLock);
  Descriptor lock(
      ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!lock.is_open()) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
  }
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK) {
    return absl::UnavailableError(absl::StrCat(
        path, " is locked: another publisher is at work in ", root));
  }
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot lock ", path));
}

// Names in the folder; empty if it cannot be read.
std::vector<std::string> Names(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    names.push_back(at->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

void RemoveLeftovers(const std::string& root) {
  std::error_code ignored;
  for (const std::string& name : Names(root)) {
    if (absl::StartsWith(name, layout::kStagingPrefix)) {
      fs::remove_all(absl::StrCat(root, "/", name), ignored);
    }
  }
}

std::string NewStagingName() {
  std::random_device random;
  return absl::StrFormat("%s%d-%08x%08x", layout::kStagingPrefix, ::getpid(),
                         random(), random());
}

// A reader that lists the root must not find half a version: the folder loses
// its name first.
void RemoveVersion(const std::string& root, const std::string& version) {
  const std::string aside = absl::StrCat(root, "/", NewStagingName());
  std::error_code ignored;
  fs::rename(absl::StrCat(root, "/", version), aside, ignored);
  if (!ignored) fs::remove_all(aside, ignored);
}

// Tells whether a file is the one that it was: it is written once, or replaced.
struct FileStamp {
  ino_t inode = 0;
  off_t bytes = -1;     // there is none
  int64_t changed = 0;  // ns
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

FileStamp StampOf(const std::string& path) {
  struct stat info;
  if (::lstat(path.c_str(), &info) != 0) return {};
  return {info.st_ino, info.st_size,
          info.st_mtim.tv_sec * int64_t{1000000000} + info.st_mtim.tv_nsec};
}

}  // namespace

struct BundleWriter::State {
  std::string root;
  std::optional<SigningKey> key;
  Descriptor lock;
  std::string staging;
  std::vector<std::pair<std::string, FileRole>> announced;
  // What an earlier Seal() read, while the file is the same.
  struct Described {
    FileStamp stamp;
    v1::File file;
  };
  std::map<std::string, Described> described;
  v1::Manifest manifest;  // of the last Seal()
  // As it was written: protobuf's maps have no order that it would keep to.
  std::string manifest_json;
  bool sealed = false;
  std::string published;

  ~State() {
    std::error_code ignored;
    if (!staging.empty()) fs::remove_all(staging, ignored);
  }

  absl::Status CheckNames() const;
  absl::StatusOr<v1::File> Describe(const Descriptor& folder,
                                    const std::string& name, FileRole role);
  void Name(v1::Manifest& named) const;
  absl::Status Sign() const;
  bool IsCurrentAlready(const std::string& current) const;
  void Prune(int keep_versions, const std::string& previous) const;
};

// Allowed, announced once, and all that is there.
absl::Status BundleWriter::State::CheckNames() const {
  std::set<std::string> names;
  for (const auto& [name, role] : announced) {
    if (!IsBundleFileName(name) || name == layout::kManifest ||
        name == layout::kSignature) {
      return absl::InvalidArgumentError(absl::StrCat(
          "a bundle's file cannot be called \"", name,
          "\": use letters, digits, \".\", \"_\" and \"-\", no leading \".\""));
    }
    if (!names.insert(name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("the bundle's file ", name, " was added twice"));
    }
  }
  for (const std::string& name : Names(staging)) {
    // An earlier Seal() and a Publish() that failed left them; they are
    // replaced.
    if (sealed && (name == layout::kManifest || name == layout::kSignature)) {
      continue;
    }
    if (names.count(name) == 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          staging, "/", name, " is no announced file of the bundle"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::File> BundleWriter::State::Describe(const Descriptor& folder,
                                                       const std::string& name,
                                                       FileRole role) {
  const std::string path = absl::StrCat(staging, "/", name);
  const FileStamp stamp = StampOf(path);
  if (const auto at = described.find(name);
      at != described.end() && at->second.stamp == stamp) {
    return at->second.file;
  }
  auto digest =
      DigestFile(folder, name, path, UINT64_MAX, Deadline::Infinite());
  if (absl::IsDataLoss(digest.status())) {  // here it is the caller's fault
    return absl::InvalidArgumentError(digest.status().message());
  }
  if (!digest.ok()) return digest.status();
  RETURN_IF_ERROR(SyncFile(path));
  v1::File file;
  file.set_name(name);
  file.set_bytes(static_cast<int64_t>(digest->bytes));
  file.set_sha256(digest->sha256);
  file.set_served(role == FileRole::kServed);
  described[name] = {stamp, file};
  return file;
}

// Version and time: now, or as much later as it takes to stand behind all
// versions that there are (another second, or a clock that was ahead). The same
// content sealed again keeps its name: measured files, the report among them,
// may have it in them.
void BundleWriter::State::Name(v1::Manifest& named) const {
  if (sealed && manifest.content_hash() == named.content_hash()) {
    named.set_version(manifest.version());
    named.set_created_at(manifest.created_at());
    return;
  }
  const std::vector<std::string> versions = ListVersions(root);
  const std::string newest = versions.empty() ? "" : versions.back();
  absl::Time now = absl::Now(), taken;
  if (absl::ParseTime(kVersionTime, newest.substr(0, newest.find('-')), &taken,
                      nullptr)) {
    now = std::max(now, taken);
  }
  std::string version;
  while (true) {
    version =
        absl::StrCat(absl::FormatTime(kVersionTime, now, absl::UTCTimeZone()),
                     "-", named.content_hash().substr(0, 12));
    if (version > newest) break;
    now += absl::Seconds(1);
  }
  named.set_version(version);
  named.set_created_at(
      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", now, absl::UTCTimeZone()));
}

absl::Status BundleWriter::State::Sign() const {
  ASSIGN_OR_RETURN(const std::string signature, key->Sign(manifest_json));
  return WriteFileAtomically(absl::StrCat(staging, "/", layout::kSignature),
                             signature);
}

bool BundleWriter::State::IsCurrentAlready(const std::string& current) const {
  if (current.empty()) return false;
  OpenOptions options;
  if (key) options.trusted_keys = key->public_key();
  const auto live =
      OpenBundle(absl::StrCat(root, "/", current), VerifyScope::kAll, options);
  return live.ok() &&
         live->manifest().content_hash() == manifest.content_hash();
}

void BundleWriter::State::Prune(int keep_versions,
                                const std::string& previous) const {
  if (keep_versions <= 0) return;
  const std::vector<std::string> versions = ListVersions(root);
  int excess = static_cast<int>(versions.size()) - keep_versions;
  for (const std::string& version : versions) {  // oldest first
    if (excess <= 0) return;
    if (version == published || version == previous) continue;
    const auto claim = ClaimVersion(absl::StrCat(root, "/", version));
    // One that a server holds stays, beyond their number: it may be pinned.
    if (absl::IsFailedPrecondition(claim.status())) continue;
    RemoveVersion(root, version);
    --excess;
  }
}

BundleWriter::BundleWriter(std::unique_ptr<State> state)
    : state_(std::move(state)) {}
BundleWriter::~BundleWriter() = default;

absl::StatusOr<std::unique_ptr<BundleWriter>> BundleWriter::Create(
    const std::string& bundle_root, std::optional<SigningKey> key) {
  auto state = std::make_unique<State>();
  state->root = bundle_root;
  state->key = std::move(key);
  RETURN_IF_ERROR(CreateFolders(bundle_root));
  ASSIGN_OR_RETURN(state->lock, LockRoot(bundle_root));
  RemoveLeftovers(bundle_root);
  const std::string staging = absl::StrCat(bundle_root, "/", NewStagingName());
  if (::mkdir(staging.c_str(), 0755) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot create ", staging));
  }
  state->staging = staging;
  return absl::WrapUnique(new BundleWriter(std::move(state)));
}

std::string BundleWriter::Add(absl::string_view name, FileRole role) {
  state_->announced.emplace_back(std::string(name), role);
  return absl::StrCat(state_->staging, "/", name);
}

absl::StatusOr<v1::Manifest> BundleWriter::Seal(v1::Content content) {
  RETURN_IF_ERROR(state_->CheckNames());
  ASSIGN_OR_RETURN(const Descriptor folder, OpenFolder(state_->staging));
  std::sort(state_->announced.begin(), state_->announced.end());
  v1::Manifest manifest;
  content.clear_files();
  for (const auto& [name, role] : state_->announced) {
    ASSIGN_OR_RETURN(v1::File file, state_->Describe(folder, name, role));
    *(role == FileRole::kMeasured ? manifest.add_measured_files()
                                  : content.add_files()) = std::move(file);
  }
  const std::string towers = TowerHash(content);
  if (!content.index().tower_hash().empty() &&
      content.index().tower_hash() != towers) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the index was built with towers ", content.index().tower_hash(),
        ", the bundle has ", towers));
  }
  content.set_tower_hash(towers);
  content.mutable_index()->set_tower_hash(towers);
  manifest.set_format_version(layout::kFormatVersion);
  manifest.set_content_hash(ContentHash(content));
  *manifest.mutable_content() = std::move(content);
  state_->Name(manifest);

  std::string json = FormatManifest(manifest);
  const std::string path =
      absl::StrCat(state_->staging, "/", layout::kManifest);
  // What a reader would refuse is not published.
  const absl::Status readable = ParseManifest(json, path).status();
  if (!readable.ok() || json.size() > kMaxManifestBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the manifest would be refused: ", readable.message(),
                     " (", json.size(), " bytes)"));
  }
  RETURN_IF_ERROR(WriteFileAtomically(path, json));
  state_->manifest = manifest;
  state_->manifest_json = std::move(json);
  state_->sealed = true;
  return manifest;
}

absl::Status BundleWriter::Publish(int keep_versions) {
  if (!state_->sealed || state_->staging.empty()) {
    return absl::FailedPreconditionError(
        "Publish() follows one successful Seal()");
  }
  const std::string& root = state_->root;
  // Whatever is wrong with CURRENT, publishing anew mends it.
  const std::string previous = ReadCurrentVersion(root).value_or("");
  if (state_->IsCurrentAlready(previous)) {
    state_->published = previous;
    std::error_code ignored;
    fs::remove_all(std::exchange(state_->staging, ""), ignored);
    return absl::OkStatus();
  }
  const std::string& version = state_->manifest.version();
  const std::string folder = absl::StrCat(root, "/", version);
  if (state_->key) RETURN_IF_ERROR(state_->Sign());
  RETURN_IF_ERROR(SyncFolder(state_->staging));
  if (::rename(state_->staging.c_str(), folder.c_str()) != 0) {
    return absl::ErrnoToStatus(
        errno, absl::StrCat("cannot rename ", state_->staging, " to ", folder));
  }
  state_->staging.clear();
  RETURN_IF_ERROR(SyncFolder(root));
  RETURN_IF_ERROR(WriteFileAtomically(absl::StrCat(root, "/", layout::kCurrent),
                                      absl::StrCat(version, "\n")));
  state_->published = version;
  state_->Prune(keep_versions, previous);
  return absl::OkStatus();
}

const std::string& BundleWriter::published_version() const {
  return state_->published;
}

const std::string& BundleWriter::staging_folder() const {
  return state_->staging;
}

}  // namespace segue
