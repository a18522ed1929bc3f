#include "tests/bench/sample_requests.h"

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "google/protobuf/util/json_util.h"

namespace segue::bench {
namespace {

constexpr uint64_t kMaxBytes = 64 << 20;

}  // namespace

absl::StatusOr<v1::BatchRetrieveRequest> ReadSampleRequests(
    const std::string& path) {
  ASSIGN_OR_RETURN(const std::string json, ReadFile(path, kMaxBytes));
  v1::BatchRetrieveRequest requests;
  if (!google::protobuf::util::JsonStringToMessage(
           absl::StrCat("{\"requests\": ", json, "}"), &requests)
           .ok() ||
      requests.requests().empty()) {
    return absl::InvalidArgumentError(path + " holds no list of requests");
  }
  return requests;
}

}  // namespace segue::bench
