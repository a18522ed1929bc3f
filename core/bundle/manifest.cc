#include "core/bundle/manifest.h"

#include <google/protobuf/util/json_util.h>

#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"
#include "core/bundle/layout.h"
#include "core/bundle/names.h"

namespace segue {
namespace {

// "5:value": the length first, so that no value can pose as two.
std::string Netstring(absl::string_view value) {
  return absl::StrCat(value.size(), ":", value);
}

std::string FileLine(const v1::File& file) {
  return absl::StrCat("file ", Netstring(file.name()), " ", file.bytes(), " ",
                      Netstring(file.sha256()), " ", file.served() ? 1 : 0,
                      "\n");
}

absl::Status ParseJson(absl::string_view json, bool strict,
                       const std::string& path, v1::Manifest& manifest) {
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = !strict;
  const auto parsed = google::protobuf::util::JsonStringToMessage(
      std::string(json), &manifest, options);
  if (parsed.ok()) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      path, " is not a manifest: ", std::string(parsed.message())));
}

// Null, or what is wrong with the file's entry.
const char* WhatIsWrong(const v1::File& file) {
  if (!IsBundleFileName(file.name())) return "its name is not allowed";
  if (file.name() == layout::kManifest || file.name() == layout::kSignature) {
    return "a manifest cannot list itself or its signature";
  }
  if (file.bytes() < 0) return "its size is negative";
  if (!IsSha256(file.sha256())) return "its hash is no SHA-256 in hex";
  return nullptr;
}

absl::Status CheckFiles(const v1::Manifest& manifest, const std::string& path) {
  const auto& hashed = manifest.content().files();
  const auto& measured = manifest.measured_files();
  if (hashed.size() + measured.size() > kMaxBundleFiles) {
    return absl::DataLossError(
        absl::StrCat(path, " lists ", hashed.size() + measured.size(),
                     " files, more than the ", kMaxBundleFiles, " allowed"));
  }
  std::set<std::string> names;
  const auto check = [&](const v1::File& file) -> absl::Status {
    const char* wrong = WhatIsWrong(file);
    if (wrong == nullptr && !names.insert(file.name()).second) {
      wrong = "it is there twice";
    }
    if (wrong == nullptr) return absl::OkStatus();
    return absl::DataLossError(
        absl::StrCat(path, ", file \"", file.name(), "\": ", wrong));
  };
  std::string previous;
  for (const v1::File& file : hashed) {
    RETURN_IF_ERROR(check(file));
    if (file.name() < previous) {
      return absl::DataLossError(
          absl::StrCat(path, ": files are not sorted at ", file.name()));
    }
    previous = file.name();
  }
  for (const v1::File& file : measured) RETURN_IF_ERROR(check(file));
  return absl::OkStatus();
}

absl::Status CheckHash(absl::string_view what, const std::string& written,
                       const std::string& computed, const std::string& path) {
  if (written == computed) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(path, ": ", what, " is \"", written,
                                          "\", computed ", computed));
}

// As created_at has it: "20260131T235959Z-..." is 2026-01-31T23:59:59Z.
std::string TimeOf(absl::string_view version) {
  return absl::StrCat(version.substr(0, 4), "-", version.substr(4, 2), "-",
                      version.substr(6, 5), ":", version.substr(11, 2), ":",
                      version.substr(13, 3));
}

absl::Status CheckManifest(const v1::Manifest& manifest,
                           const std::string& path) {
  RETURN_IF_ERROR(CheckFiles(manifest, path));
  const v1::Content& content = manifest.content();
  RETURN_IF_ERROR(CheckHash("content_hash", manifest.content_hash(),
                            ContentHash(content), path));
  const std::string towers = TowerHash(content);
  RETURN_IF_ERROR(
      CheckHash("content.tower_hash", content.tower_hash(), towers, path));
  RETURN_IF_ERROR(CheckHash("content.index.tower_hash",
                            content.index().tower_hash(), towers, path));
  const std::string& version = manifest.version();
  if (!IsVersionName(version) ||
      manifest.content_hash().compare(0, 12, version, version.size() - 12,
                                      12) != 0) {
    return absl::DataLossError(
        absl::StrCat(path, ": version \"", version,
                     "\" is not a time, a dash and the first 12 digits of ",
                     manifest.content_hash()));
  }
  if (manifest.created_at() != TimeOf(version)) {
    return absl::DataLossError(
        absl::StrCat(path, ": created_at \"", manifest.created_at(),
                     "\" is not the time of version ", version));
  }
  return absl::OkStatus();
}

}  // namespace

std::string ContentHash(const v1::Content& content) {
  std::string text = "segue-content-1\n";
  for (const v1::File& file : content.files()) text += FileLine(file);
  const v1::IndexInfo& index = content.index();
  absl::StrAppend(&text, "items ", content.items(), "\n", "users ",
                  content.users(), "\n");
  absl::StrAppend(&text, "dimension ", content.dimension(), "\n", "metric ",
                  Netstring(content.metric()), "\n");
  absl::StrAppend(&text, "history_length ", content.history_length(), "\n",
                  "item_row_width ", content.item_row_width(), "\n",
                  "user_row_width ", content.user_row_width(), "\n");
  absl::StrAppend(&text, "tower_hash ", Netstring(content.tower_hash()), "\n");
  absl::StrAppend(&text, "index.description ", Netstring(index.description()),
                  "\n", "index.nprobe ", index.nprobe(), "\n",
                  "index.k_factor ", index.k_factor(), "\n");
  absl::StrAppend(&text, "index.tower_hash ", Netstring(index.tower_hash()),
                  "\n");
  const std::map<std::string, std::string> libraries(
      content.library_versions().begin(), content.library_versions().end());
  for (const auto& [name, version] : libraries) {
    absl::StrAppend(&text, "library ", Netstring(name), " ", Netstring(version),
                    "\n");
  }
  return Sha256::OfString(text);
}

std::string TowerHash(const v1::Content& content) {
  std::string text = "segue-towers-1\n";
  for (const char* name : {layout::kQueryTower, layout::kItemTower,
                           layout::kItemRows, layout::kUserRows}) {
    for (const v1::File& file : content.files()) {
      if (file.name() != name) continue;
      absl::StrAppend(&text, file.name(), " ", file.sha256(), "\n");
    }
  }
  return Sha256::OfString(text);
}

const v1::File* FindFile(const v1::Content& content, absl::string_view name) {
  for (const v1::File& file : content.files()) {
    if (file.name() == name) return &file;
  }
  return nullptr;
}

uint64_t ServedBytes(const v1::Content& content) {
  uint64_t bytes = 0;
  for (const v1::File& file : content.files()) {
    if (file.served()) bytes += static_cast<uint64_t>(file.bytes());
  }
  return bytes;
}

std::string FormatManifest(const v1::Manifest& manifest) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  // Fails only for messages of types that a manifest has none of.
  (void)google::protobuf::util::MessageToJsonString(manifest, &json, options);
  return json;
}

absl::StatusOr<v1::Manifest> ParseManifest(absl::string_view json,
                                           const std::string& path) {
  // To protobuf's parser they are spaces: a flipped bit would pass.
  if (json.find_first_of("\v\f") != absl::string_view::npos) {
    return absl::DataLossError(absl::StrCat(
        path, " is not a manifest: it has spaces that JSON lacks"));
  }
  // A newer format may have fields that this one lacks: it must be refused for
  // its version, not for them.
  v1::Manifest manifest;
  RETURN_IF_ERROR(ParseJson(json, /*strict=*/false, path, manifest));
  if (manifest.format_version() > layout::kFormatVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, " has format ", manifest.format_version(), ", this program reads",
        " up to ", layout::kFormatVersion, ": update it"));
  }
  if (manifest.format_version() < 1) {
    return absl::DataLossError(absl::StrCat(
        path,
        " has no format this program knows: ", manifest.format_version()));
  }
  manifest.Clear();
  RETURN_IF_ERROR(ParseJson(json, /*strict=*/true, path, manifest));
  RETURN_IF_ERROR(CheckManifest(manifest, path));
  return manifest;
}

}  // namespace segue
