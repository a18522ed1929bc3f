#include "server/lifecycle/version_choice.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace segue {

bool IsDenied(const v1::ServerState& state, absl::string_view version) {
  return std::find(state.denied_versions().begin(),
                   state.denied_versions().end(),
                   version) != state.denied_versions().end();
}

absl::StatusOr<VersionChoice> ChooseVersion(
    const v1::ServerState& state, const absl::StatusOr<std::string>& current,
    absl::Span<const std::string> versions) {
  if (!state.pinned_version().empty()) {
    return VersionChoice{state.pinned_version(), ChosenBy::kPin};
  }
  if (!current.ok()) return current.status();
  if (*current < state.highest_version()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "CURRENT names ", *current, ", which is older than ",
        state.highest_version(),
        ", which has served; pin it, or deny the newer one, to go back"));
  }
  if (!IsDenied(state, *current)) {
    return VersionChoice{*current, ChosenBy::kCurrent};
  }
  VersionChoice choice{.by = ChosenBy::kDenial};
  for (const std::string& version : versions) {
    if (version < *current && version > choice.version &&
        !IsDenied(state, version)) {
      choice.version = version;
    }
  }
  if (choice.version.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "CURRENT names ", *current,
        ", which is denied, and there is no older version that is not"));
  }
  return choice;
}

}  // namespace segue
