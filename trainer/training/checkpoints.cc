#include "trainer/training/checkpoints.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "core/base/file.h"

namespace segue {
namespace fs = std::filesystem;
namespace {

std::vector<std::string> Files(const std::string& folder,
                               absl::string_view beginning,
                               absl::string_view ending) {
  std::vector<std::string> files;
  std::error_code error;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename();
    if (absl::StartsWith(name, beginning) && absl::EndsWith(name, ending)) {
      files.push_back(entry.path());
    }
  }
  return files;
}

}  // namespace

absl::Status Checkpoints::CreateFolder() const {
  return CreateFolders(folder_);
}

std::string Checkpoints::StepPath(int64_t step) const {
  return absl::StrFormat("%s/step-%012d.ckpt", folder_, step);
}

std::vector<std::string> Checkpoints::StepFiles() const {
  std::vector<std::string> files = Files(folder_, "step-", ".ckpt");
  // The numbers in the names have one width.
  std::sort(files.rbegin(), files.rend());
  return files;
}

void Checkpoints::Prune(int keep) const {
  const std::vector<std::string> files = StepFiles();
  std::error_code ignored;
  for (size_t i = std::max(keep, 1); i < files.size(); ++i) {
    fs::remove(files[i], ignored);
  }
}

void Checkpoints::Clear() const {
  std::error_code ignored;
  for (const std::string& file : StepFiles()) fs::remove(file, ignored);
  fs::remove(best_path(), ignored);
}

void Checkpoints::RemoveUnfinished() const {
  std::error_code ignored;
  for (const std::string& file : Files(folder_, "", ".ckpt.tmp")) {
    fs::remove(file, ignored);
  }
}

}  // namespace segue
