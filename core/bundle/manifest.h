// MANIFEST.json: its text, its hashes and what must hold of it.
#ifndef SEGUE_CORE_BUNDLE_MANIFEST_H_
#define SEGUE_CORE_BUNDLE_MANIFEST_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "segue/v1/bundle.pb.h"

namespace segue {

// Bounds of what a reader takes.
inline constexpr uint64_t kMaxManifestBytes = 1 << 20;
inline constexpr int kMaxBundleFiles = 256;

// SHA-256, hex, of the canonical text of `content` (FORMAT.md); its files must
// be sorted by name. Not over the JSON or the protobuf bytes, which may differ
// from one Protobuf release to the next.
std::string ContentHash(const v1::Content& content);

// SHA-256, hex, over name and hash of those of query_tower.pt, item_tower.pt,
// items.rows and users.rows that are among content.files (FORMAT.md): all that
// decides where a vector lies.
std::string TowerHash(const v1::Content& content);

// The file of that name; null if the content has none: not every bundle has
// every file. The content keeps it.
const v1::File* FindFile(const v1::Content& content, absl::string_view name);

// Of all files that a server reads.
uint64_t ServedBytes(const v1::Content& content);

std::string FormatManifest(const v1::Manifest& manifest);

// Parses and checks: format version, names, number and order of files, shape of
// hashes, content hash, tower hashes, that version, content hash and time
// agree. `path` is for messages. DataLoss, or FailedPrecondition for a newer
// format.
absl::StatusOr<v1::Manifest> ParseManifest(absl::string_view json,
                                           const std::string& path);

}  // namespace segue

#endif  // SEGUE_CORE_BUNDLE_MANIFEST_H_
