#include "server/requests/request_log.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "server/base/log.h"

namespace segue {
namespace {

constexpr size_t kMaxRequestIdBytes = 128;
// A line is then short enough for a pipe to take it whole, even if all of it
// has to be escaped.
constexpr size_t kMaxErrorBytes = 512;

// `code`: what the call's is called; borrowed.
std::vector<LogField> FieldsOf(const FinishedCall& call,
                               absl::string_view code) {
  const std::chrono::duration<double, std::milli> took = call.took;
  std::vector<LogField> fields = {{"method", MethodName(call.method)},
                                  {"code", code},
                                  {"took_ms", took.count()}};
  if (!call.request_id.empty()) {
    fields.push_back({"request_id", call.request_id});
  }
  if (!call.bundle_version.empty()) {
    fields.push_back({"bundle_version", call.bundle_version});
  }
  if (call.size.queries) fields.push_back({"queries", *call.size.queries});
  if (call.size.top_k) fields.push_back({"top_k", *call.size.top_k});
  return fields;
}

}  // namespace

RequestSize SizeOf(const v1::RetrieveRequest& request) {
  return {.queries = 1, .top_k = request.top_k()};
}
RequestSize SizeOf(const v1::BatchRetrieveRequest& request) {
  RequestSize size = {.queries = request.requests_size()};
  for (const v1::RetrieveRequest& one : request.requests()) {
    size.top_k = std::max<int64_t>(size.top_k.value_or(0), one.top_k());
  }
  return size;
}
RequestSize SizeOf(const v1::SimilarItemsRequest& request) {
  return {.top_k = request.top_k()};
}
RequestSize SizeOf(const v1::DescribeItemsRequest&) { return {}; }

absl::string_view RequestIdOf(
    const std::multimap<grpc::string_ref, grpc::string_ref>& metadata) {
  const auto found = metadata.find("x-request-id");
  if (found == metadata.end()) return "";
  const absl::string_view id(found->second.data(), found->second.size());
  if (id.size() > kMaxRequestIdBytes) return "";
  return std::all_of(id.begin(), id.end(), absl::ascii_isprint) ? id : "";
}

RequestLog::RequestLog(double share) : share_(share) {}

RequestLog::~RequestLog() {
  const int64_t left_out = left_out_;
  if (left_out == 0) return;
  LogWarning("calls failed that are not logged", {{"left_out", left_out}});
}

bool RequestLog::Takes(absl::StatusCode code, Clock::time_point now) {
  if (code == absl::StatusCode::kInternal) {
    const bool takes = errors_.Takes(now);
    if (!takes) ++left_out_;
    return takes;
  }
  return finished_.Takes(share_) && LeastLogLevel() <= LogLevel::kInfo;
}

void RequestLog::Log(const FinishedCall& call) {
  const std::string code = absl::StatusCodeToString(call.code);
  std::vector<LogField> fields = FieldsOf(call, code);
  if (call.code != absl::StatusCode::kInternal) {
    TryLog(LogLevel::kInfo, "call finished", fields);
    return;
  }
  const int64_t left_out = left_out_.exchange(0);
  fields.push_back({"error", call.error.substr(0, kMaxErrorBytes)});
  if (left_out > 0) fields.push_back({"left_out", left_out});
  if (!TryLog(LogLevel::kError, "call failed", fields)) {
    left_out_ += left_out + 1;
  }
}

}  // namespace segue
