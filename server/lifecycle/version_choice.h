// Which version of the bundle root should serve.
#ifndef SEGUE_SERVER_LIFECYCLE_VERSION_CHOICE_H_
#define SEGUE_SERVER_LIFECYCLE_VERSION_CHOICE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "segue/v1/server_state.pb.h"

namespace segue {

enum class ChosenBy {
  kPin,
  kCurrent,
  kDenial,  // CURRENT is denied: the newest before it that is not
};

struct VersionChoice {
  std::string version;
  ChosenBy by = ChosenBy::kCurrent;
};

// A pin beats the deny list, which beats CURRENT. `current` is what
// ReadCurrentVersion() says; its error, unless there is a pin. `versions`:
// those in the root, in any order. FailedPrecondition where CURRENT names one
// that is older than the highest that served (an old copy of the root, or a
// replayed one; to go back on purpose is to pin or to deny), and where it is
// denied and nothing older is left. Whether the version is there and good is
// not looked at.
absl::StatusOr<VersionChoice> ChooseVersion(
    const v1::ServerState& state, const absl::StatusOr<std::string>& current,
    absl::Span<const std::string> versions);

bool IsDenied(const v1::ServerState& state, absl::string_view version);

}  // namespace segue

#endif  // SEGUE_SERVER_LIFECYCLE_VERSION_CHOICE_H_
