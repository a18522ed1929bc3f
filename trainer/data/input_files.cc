#include "trainer/data/input_files.h"

#include <algorithm>
#include <filesystem>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace segue {
namespace {

namespace fs = std::filesystem;

absl::StatusOr<InputFile> WithFormat(const std::string& path) {
  if (absl::EndsWith(path, ".parquet")) return {{path, FileFormat::kParquet}};
  if (absl::EndsWith(path, ".csv")) return {{path, FileFormat::kCsv}};
  if (absl::EndsWith(path, ".csv.gz")) return {{path, FileFormat::kCsvGzip}};
  return absl::InvalidArgumentError(absl::StrCat(
      path,
      ": the name must end in .parquet, .csv or .csv.gz, which tells the "
      "format"));
}

bool IsHidden(const fs::path& path) {
  const std::string name = path.filename().string();
  return !name.empty() && (name[0] == '.' || name[0] == '_');
}

std::vector<std::string> FilesBelow(const std::string& folder) {
  std::vector<std::string> paths;
  const auto options = fs::directory_options::follow_directory_symlink;
  for (fs::recursive_directory_iterator it(folder, options), end; it != end;
       ++it) {
    if (IsHidden(it->path())) {
      if (it->is_directory()) it.disable_recursion_pending();
    } else if (!it->is_directory()) {
      paths.push_back(it->path().string());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

absl::StatusOr<std::vector<InputFile>> ListInputFiles(
    const std::string& path) try {
  if (path.empty()) {
    return absl::InvalidArgumentError("the path of a file to read is empty");
  }
  if (!fs::exists(path)) {
    return absl::NotFoundError(
        absl::StrCat(path, ": there is no such file or folder"));
  }
  std::vector<std::string> paths = {path};
  if (fs::is_directory(path)) paths = FilesBelow(path);
  if (paths.empty()) {
    return absl::NotFoundError(absl::StrCat(
        path, ": the folder holds no .parquet, .csv or .csv.gz file"));
  }
  std::vector<InputFile> files;
  for (const std::string& each : paths) {
    ASSIGN_OR_RETURN(InputFile file, WithFormat(each));
    files.push_back(std::move(file));
  }
  return files;
} catch (const fs::filesystem_error& e) {
  return absl::FailedPreconditionError(
      absl::StrCat(path, ": cannot list it: ", e.code().message()));
}

}  // namespace segue
