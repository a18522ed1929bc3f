// Publishes a copy of a bundle, in a process that can be killed.
//
//   copy_publisher BUNDLE ROOT
//
// Prints the version that came of it.
#include <cstdio>
#include <filesystem>
#include <string>

#include "absl/status/statusor.h"
#include "core/base/status_macros.h"
#include "core/bundle/bundle_reader.h"
#include "core/bundle/bundle_writer.h"

namespace segue {
namespace {

absl::StatusOr<std::string> PublishCopy(const std::string& bundle,
                                        const std::string& root) {
  ASSIGN_OR_RETURN(const Bundle source, OpenBundle(bundle, VerifyScope::kAll));
  ASSIGN_OR_RETURN(const auto writer, BundleWriter::Create(root));
  for (const v1::File& file : source.content().files()) {
    std::filesystem::copy_file(
        source.Path(file.name()),
        writer->Add(file.name(),
                    file.served() ? FileRole::kServed : FileRole::kAuxiliary));
  }
  RETURN_IF_ERROR(writer->Seal(source.content()).status());
  RETURN_IF_ERROR(writer->Publish(/*keep_versions=*/0));
  return writer->published_version();
}

}  // namespace
}  // namespace segue

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("copy_publisher BUNDLE ROOT\n", stderr);
    return 2;
  }
  const auto version = segue::PublishCopy(argv[1], argv[2]);
  if (!version.ok()) {
    std::fprintf(stderr, "%s\n", version.status().ToString().c_str());
    return 1;
  }
  std::printf("%s\n", version->c_str());
  return 0;
}
