// Publishes a bundle: stage, sync, rename, then CURRENT. A reader sees the
// whole version or nothing of it, whatever is killed when.
#ifndef SEGUE_CORE_BUNDLE_BUNDLE_WRITER_H_
#define SEGUE_CORE_BUNDLE_BUNDLE_WRITER_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/signature.h"
#include "segue/v1/bundle.pb.h"

namespace segue {

// What a file is to the manifest.
enum class FileRole {
  kServed,     // hashed; the server verifies and loads it
  kAuxiliary,  // hashed; for the trainer
  kMeasured,   // holds times: listed, but outside of the content hash
};

// One publication. One thread. Destroyed before Publish(), it removes its
// staging folder; after a crash the next Create() removes it.
class BundleWriter {
 public:
  // Takes the root's lock (one publisher a root; Unavailable if another holds
  // it), clears what a dead publisher left, makes a staging folder. What is
  // published is signed with `key`, if there is one.
  static absl::StatusOr<std::unique_ptr<BundleWriter>> Create(
      const std::string& bundle_root,
      std::optional<SigningKey> key = std::nullopt);
  ~BundleWriter();

  // Where to write the file `name` before Seal(); announces it. A name that
  // the format does not allow (names.h), or one that comes twice, fails Seal().
  std::string Add(absl::string_view name, FileRole role);

  // Hashes and syncs every announced file, fills content.files, the hashes and
  // the version, and writes the manifest. The folder is then complete but not
  // yet published. `content` comes without `files` and tower_hash, which are
  // computed here. content.index.tower_hash may name the towers that the index
  // was built with (TowerHash(), manifest.h); empty, it is taken to be these.
  // FailedPrecondition if they are others; InvalidArgument for a bad name, a
  // file that was announced and not written, or written and not announced.
  //
  // May be repeated after more was added: what was sealed can be measured, and
  // the measurements join it as kMeasured, under the same version.
  absl::StatusOr<v1::Manifest> Seal(v1::Content content);

  // Signs, syncs, renames the staging folder to its version, replaces CURRENT,
  // removes the oldest versions beyond `keep_versions` (0: none; never the new
  // one, the one that was CURRENT before, nor one in use). A version with the
  // same content hash that is CURRENT already, whole, and signed with the same
  // key, is left as it is, and this one is dropped. REQUIRES: Seal() was OK.
  absl::Status Publish(int keep_versions);

  // The version that CURRENT names after Publish(): the sealed one, or the
  // equal one that was there before.
  const std::string& published_version() const;

  const std::string& staging_folder() const;

 private:
  struct State;
  explicit BundleWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace segue

#endif  // SEGUE_CORE_BUNDLE_BUNDLE_WRITER_H_
