#include "core/bundle/names.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"

namespace segue {
namespace {

bool IsLowerHex(char c) {
  return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f');
}

}  // namespace

bool IsBundleFileName(absl::string_view name) {
  if (name.empty() || name.size() > 128 || name[0] == '.') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
  });
}

bool IsVersionName(absl::string_view name) {
  // 0: a digit; x: a lower-case hex digit; others stand for themselves.
  constexpr absl::string_view kShape = "00000000T000000Z-xxxxxxxxxxxx";
  return name.size() == kShape.size() &&
         std::equal(name.begin(), name.end(), kShape.begin(),
                    [](char c, char shape) {
                      if (shape == '0') return absl::ascii_isdigit(c);
                      return shape == 'x' ? IsLowerHex(c) : c == shape;
                    });
}

bool IsSha256(absl::string_view hex) {
  return hex.size() == 64 && std::all_of(hex.begin(), hex.end(), IsLowerHex);
}

std::vector<std::string> ListVersions(const std::string& root) {
  std::vector<std::string> versions;
  std::error_code ignored;
  for (std::filesystem::directory_iterator at(root, ignored), end;
       !ignored && at != end; at.increment(ignored)) {
    std::string name = at->path().filename().string();
    if (IsVersionName(name)) versions.push_back(std::move(name));
  }
  std::sort(versions.begin(), versions.end());
  return versions;
}

}  // namespace segue
