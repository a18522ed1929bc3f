// Which names a bundle and its files can have. Strict, because they come from
// files: no name leads out of its folder.
#ifndef SEGUE_CORE_BUNDLE_NAMES_H_
#define SEGUE_CORE_BUNDLE_NAMES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace segue {

// 1 to 128 of A-Z, a-z, 0-9, ".", "_", "-", the first no ".".
bool IsBundleFileName(absl::string_view name);

// "20260131T235959Z-0123456789ab": UTC time, first 12 digits of the content
// hash. In the order of their bytes, versions are in the order of time.
bool IsVersionName(absl::string_view name);

// The versions in a bundle root, oldest first; none where it cannot be read.
std::vector<std::string> ListVersions(const std::string& root);

// 64 lower-case hex digits.
bool IsSha256(absl::string_view hex);

}  // namespace segue

#endif  // SEGUE_CORE_BUNDLE_NAMES_H_
