// What the log says of requests.
#ifndef SEGUE_SERVER_REQUESTS_REQUEST_LOG_H_
#define SEGUE_SERVER_REQUESTS_REQUEST_LOG_H_

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "segue/v1/retrieval.pb.h"
#include "server/base/even_sample.h"
#include "server/base/most_a_second.h"
#include "server/metrics/metrics.h"

namespace segue {

// How much was asked, and nothing of what or by whom.
struct RequestSize {
  std::optional<int64_t> queries;
  // As sent; 0: the default. The largest one of a batch.
  std::optional<int64_t> top_k;
};
RequestSize SizeOf(const v1::RetrieveRequest& request);
RequestSize SizeOf(const v1::BatchRetrieveRequest& request);
RequestSize SizeOf(const v1::SimilarItemsRequest& request);
RequestSize SizeOf(const v1::DescribeItemsRequest& request);

// The bundle that answered; empty where none has.
template <typename Response>
absl::string_view AnsweredBy(const Response& response) {
  return response.bundle_version();
}
inline absl::string_view AnsweredBy(const v1::BatchRetrieveResponse& response) {
  return response.responses().empty() ? "" : AnsweredBy(response.responses(0));
}

// The (first) `x-request-id` of a call's metadata, if it is 1 to 128 printable
// ASCII characters; else empty. Borrows the metadata.
absl::string_view RequestIdOf(
    const std::multimap<grpc::string_ref, grpc::string_ref>& metadata);

// All that is ever logged of a call; what is empty is left out. Borrows.
struct FinishedCall {
  Method method;
  absl::StatusCode code;  // as it was sent
  // Logged of an Internal one alone: others carry what the request had.
  absl::string_view error;
  std::chrono::duration<double> took;
  absl::string_view request_id;
  absl::string_view bundle_version;
  RequestSize size;
};

// Logs a share of the finished calls at kInfo, and those that ended Internal at
// kError, at most kMostErrors in any second. A line that would have to wait is
// left out too. Any thread; a call that is not logged costs an increment.
class RequestLog {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr int kMostErrors = 10;

  // `share`: in [0, 1].
  explicit RequestLog(double share);
  // Logs how many errors were left out since the last one.
  ~RequestLog();
  RequestLog(const RequestLog&) = delete;
  RequestLog& operator=(const RequestLog&) = delete;

  // Counts a call that ended so. True: Log() it.
  bool Takes(absl::StatusCode code, Clock::time_point now);
  void Log(const FinishedCall& call);

 private:
  const double share_;
  EvenSample finished_;  // but for errors
  MostASecond<kMostErrors> errors_;
  std::atomic<int64_t> left_out_ = 0;  // errors, since one was logged
};

}  // namespace segue

#endif  // SEGUE_SERVER_REQUESTS_REQUEST_LOG_H_
