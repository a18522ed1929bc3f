#include "trainer/training/checkpoints.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "core/base/file.h"

namespace segue {
namespace {

namespace fs = std::filesystem;

// Step files, oldest first: the numbers in their names have one width.
std::vector<std::string> StepFiles(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename();
    if (absl::StartsWith(name, "step-") && absl::EndsWith(name, ".ckpt")) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

absl::Status Checkpoints::CreateFolder() const {
  return CreateFolders(folder_);
}

std::string Checkpoints::StepPath(int64_t step) const {
  return absl::StrFormat("%s/step-%012d.ckpt", folder_, step);
}

std::optional<std::string> Checkpoints::Newest() const {
  const std::vector<std::string> files = StepFiles(folder_);
  if (files.empty()) return std::nullopt;
  return files.back();
}

void Checkpoints::Prune(int keep) const {
  const std::vector<std::string> files = StepFiles(folder_);
  const size_t kept = std::max(keep, 1);
  for (size_t i = 0; i + kept < files.size(); ++i) fs::remove(files[i]);
}

void Checkpoints::Clear() const {
  std::error_code ignored;
  for (const std::string& file : StepFiles(folder_)) fs::remove(file, ignored);
  fs::remove(best_path(), ignored);
}

}  // namespace segue
