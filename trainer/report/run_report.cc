#include "trainer/report/run_report.h"

#include <cstdint>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/bundle/bundle_reader.h"
#include "core/bundle/layout.h"
#include "google/protobuf/util/json_util.h"

namespace segue {
namespace {

constexpr uint64_t kMaxReportBytes = 64 << 20;

// Where the report of `path` lies.
absl::StatusOr<std::string> FindReport(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_regular_file(path, error)) return path;
  const std::string inside = absl::StrCat(path, "/", layout::kReport);
  if (std::filesystem::exists(inside, error)) return inside;
  const auto version = ReadCurrentVersion(path);
  if (version.ok()) {
    return absl::StrCat(path, "/", *version, "/", layout::kReport);
  }
  return absl::NotFoundError(absl::StrCat(
      path,
      ": no report here; name a run's folder (run_dir), a bundle's, a "
      "bundle root or a report.json"));
}

}  // namespace

absl::StatusOr<RunReport> LoadRunReport(const std::string& path) {
  absl::string_view name = path;
  while (name.size() > 1 && absl::ConsumeSuffix(&name, "/")) {
  }
  RunReport run{.name = std::string(name)};
  ASSIGN_OR_RETURN(const std::string file, FindReport(run.name));
  ASSIGN_OR_RETURN(const std::string json, ReadFile(file, kMaxReportBytes));
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  const auto parsed =
      google::protobuf::util::JsonStringToMessage(json, &run.report, options);
  if (parsed.ok()) return run;
  return absl::DataLossError(absl::StrCat(
      file, " is no report: ",
      absl::string_view(parsed.message().data(), parsed.message().size())));
}

}  // namespace segue
