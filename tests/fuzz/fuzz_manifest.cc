// Fed: the bytes of MANIFEST.json; short ones as CURRENT, too, and as a name.
// Must hold: a manifest is taken or is DataLoss or of a newer format; one that
// is taken means the same once it is written and read; no name leads out of a
// folder. Random bytes do not have the right hashes: what parses is tried once
// more with these.
#include <google/protobuf/util/json_util.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/bundle/bundle_reader.h"
#include "core/bundle/layout.h"
#include "core/bundle/manifest.h"
#include "core/bundle/names.h"
#include "tests/fuzz/must.h"
#include "tests/fuzz/scratch.h"

namespace segue::fuzz {
namespace {

constexpr size_t kLongestName = 300;

bool StaysInFolder(absl::string_view name) {
  return !name.empty() && name[0] != '.' && name.find('/') == name.npos &&
         name.find('\0') == name.npos;
}

void Parse(const std::string& json) {
  const auto manifest = ParseManifest(json, "MANIFEST.json");
  MustBeOkOr(manifest.status(), absl::StatusCode::kDataLoss,
             absl::StatusCode::kFailedPrecondition);
  if (!manifest.ok()) return;
  Must(StaysInFolder(manifest->version()), "a version is a name");
  for (const v1::File& file : manifest->content().files()) {
    Must(StaysInFolder(file.name()) && file.bytes() >= 0, "files are in it");
  }
  const auto again = ParseManifest(FormatManifest(*manifest), "again");
  Must(again.ok(), again.status().ToString());
  Must(again->SerializeAsString().size() ==
               manifest->SerializeAsString().size() &&
           ContentHash(again->content()) == manifest->content_hash(),
       "what is written is what is read");
}

void ParseWithRightHashes(const std::string& json) {
  v1::Manifest manifest;
  if (!google::protobuf::util::JsonStringToMessage(json, &manifest).ok()) {
    return;
  }
  v1::Content& content = *manifest.mutable_content();
  content.set_tower_hash(TowerHash(content));
  content.mutable_index()->set_tower_hash(content.tower_hash());
  manifest.set_content_hash(ContentHash(content));
  manifest.set_version("20260131T235959Z-" +
                       manifest.content_hash().substr(0, 12));
  Parse(FormatManifest(manifest));
}

void Names(const std::string& text) {
  for (const bool is_name : {IsVersionName(text), IsBundleFileName(text)}) {
    Must(!is_name || StaysInFolder(text), "a name stays in its folder");
  }
  static const Scratch* current = new Scratch(layout::kCurrent);
  current->Write(text);
  const auto version = ReadCurrentVersion(current->folder());
  // There are no versions beside it.
  Must(absl::IsDataLoss(version.status()) || absl::IsNotFound(version.status()),
       version.status().ToString());
}

}  // namespace
}  // namespace segue::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  segue::fuzz::Parse(text);
  segue::fuzz::ParseWithRightHashes(text);
  if (size <= segue::fuzz::kLongestName) segue::fuzz::Names(text);
  return 0;
}
