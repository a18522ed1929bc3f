#include "server/lifecycle/state_file.h"

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/bundle/names.h"
#include "google/protobuf/util/json_util.h"

namespace segue {
namespace {

using google::protobuf::util::JsonPrintOptions;
using google::protobuf::util::JsonStringToMessage;
using google::protobuf::util::MessageToJsonString;

constexpr uint64_t kMaxBytes = uint64_t{1} << 20;

bool IsValid(const v1::ServerState& state) {
  for (const std::string& version : state.denied_versions()) {
    if (!IsVersionName(version)) return false;
  }
  for (const std::string& version :
       {state.pinned_version(), state.highest_version()}) {
    if (!version.empty() && !IsVersionName(version)) return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<v1::ServerState> ReadStateFile(const std::string& path) {
  v1::ServerState state;
  if (path.empty()) return state;
  const auto json = ReadFile(path, kMaxBytes);
  if (absl::IsNotFound(json.status())) return state;
  RETURN_IF_ERROR(json.status());
  if (!JsonStringToMessage(*json, &state).ok() || !IsValid(state)) {
    return absl::DataLossError(absl::StrCat(
        path,
        " is no state of a server (state_file). Mend it, or remove it, which "
        "forgets what was pinned and denied"));
  }
  return state;
}

absl::Status WriteStateFile(const std::string& path,
                            const v1::ServerState& state) {
  if (path.empty()) return absl::OkStatus();
  JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  std::string json;
  if (!MessageToJsonString(state, &json, options).ok()) {
    return absl::InternalError("the server's state does not become JSON");
  }
  return WriteFileAtomically(path, json);
}

}  // namespace segue
