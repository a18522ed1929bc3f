// A unary gRPC call as a Job: from its bytes to the bytes of its answer.
#ifndef SEGUE_SERVER_REQUESTS_CALL_H_
#define SEGUE_SERVER_REQUESTS_CALL_H_

#include <google/protobuf/arena.h>
#include <grpc/support/time.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/deadline.h"
#include "server/metrics/metrics.h"
#include "server/queue/admission.h"
#include "server/queue/job.h"
#include "server/requests/request_log.h"

namespace segue {

// The same moment on the clock that Deadline uses. A century away and more is
// never: clients send timeouts that std::chrono's nanoseconds do not hold (Go's
// longest is 292 years), and its system_clock ends in 2262.
inline Deadline ToDeadline(gpr_timespec when) {
  constexpr int64_t kCenturySeconds = int64_t{100} * 365 * 24 * 60 * 60;
  const gpr_timespec left = gpr_time_sub(when, gpr_now(when.clock_type));
  if (left.tv_sec >= kCenturySeconds) return Deadline::Infinite();
  return Deadline::After(
      std::chrono::seconds(std::max(left.tv_sec, -kCenturySeconds)) +
      std::chrono::nanoseconds(left.tv_nsec));
}

// Clients that retry by gRPC's own policy wait so long before they do.
inline constexpr char kRetryPushback[] = "grpc-retry-pushback-ms";

// Codes that README.md documents go out as they are, others as INTERNAL.
grpc::Status ToGrpcStatus(const absl::Status& status);

// Owned by gRPC: deletes itself in OnDone(), which comes after Complete() and
// after the last OnCancel(). Borrows context, buffers, metrics and log.
//
// Request and answer live in an arena: one with history and 100 items has some
// hundred parts, and all go at once.
//
// Request bytes are parsed here and not by generated code, which would answer
// UNIMPLEMENTED to bytes that do not parse or strings that are not UTF-8.
template <typename Request, typename Response>
class Call : public Job, public grpc::ServerUnaryReactor {
 public:
  Call(Method method, grpc::CallbackServerContext& context,
       grpc::ByteBuffer& answer, Metrics& metrics, RequestLog& log)
      : method_(method),
        context_(context),
        arrival_(std::chrono::steady_clock::now()),
        deadline_(ToDeadline(context.raw_deadline())),
        answer_(answer),
        metrics_(metrics),
        log_(log) {}

  absl::Status Parse(const grpc::ByteBuffer& bytes) {
    grpc::ByteBuffer copy = bytes;  // of the reference, not of the bytes
    const bool parses =
        grpc::SerializationTraits<Request>::Deserialize(&copy, &request_).ok();
    metrics_.ObserveStage(Stage::kDecode,
                          std::chrono::steady_clock::now() - arrival_);
    if (parses) return absl::OkStatus();
    return absl::InvalidArgumentError(
        "the request does not parse: not the message of this method, or a "
        "string that is not UTF-8");
  }
  const Request& request() const { return request_; }

  Deadline deadline() const override { return deadline_; }
  bool IsCancelled() const override { return cancelled_; }
  int query_count() const override { return 0; }
  // REQUIRES: i < query_count().
  const v1::RetrieveRequest& query(int) const override { std::abort(); }
  v1::RetrieveResponse& response(int) override { std::abort(); }
  absl::Status Run(const ServingSnapshot&) override { return absl::OkStatus(); }

  void Complete(const absl::Status& status) override {
    grpc::Status sent = ToGrpcStatus(status);
    if (sent.ok()) {
      const auto start = std::chrono::steady_clock::now();
      bool own_buffer = false;
      sent = grpc::SerializationTraits<Response>::Serialize(answered_, &answer_,
                                                            &own_buffer);
      metrics_.ObserveStage(Stage::kEncode,
                            std::chrono::steady_clock::now() - start);
    }
    if (const auto retry = RetryAfter(status)) {
      context_.AddTrailingMetadata(kRetryPushback,
                                   absl::StrCat(retry->count()));
    }
    // Looked at last: encoding takes time too, and so does a busy machine.
    if (sent.ok()) sent = ToGrpcStatus(Wanted());
    const auto now = std::chrono::steady_clock::now();
    const auto code = static_cast<absl::StatusCode>(sent.error_code());
    metrics_.CountRequest(method_, code, now - arrival_);
    if (log_.Takes(code, now)) {
      log_.Log({.method = method_,
                .code = code,
                .error = sent.error_message(),
                .took = now - arrival_,
                // A map is built for it: not for each call.
                .request_id = RequestIdOf(context_.client_metadata()),
                .bundle_version = AnsweredBy(answered_),
                .size = SizeOf(request_)});
    }
    Finish(sent);
  }

 private:
  // Room for a request with a usual history and an answer of 100; more is
  // allocated in blocks.
  static constexpr size_t kBlockBytes = size_t{8} << 10;
  static constexpr size_t kMostBlockBytes = size_t{64} << 10;
  static google::protobuf::ArenaOptions BlockOf(char* bytes) {
    google::protobuf::ArenaOptions options;
    options.initial_block = bytes;
    options.initial_block_size = kBlockBytes;
    options.start_block_size = kBlockBytes;
    options.max_block_size = kMostBlockBytes;
    return options;
  }

  alignas(8) char block_[kBlockBytes];
  google::protobuf::Arena arena_{BlockOf(block_)};

 protected:
  Request& request_ = *google::protobuf::Arena::CreateMessage<Request>(&arena_);
  Response& answered_ =
      *google::protobuf::Arena::CreateMessage<Response>(&arena_);

 private:
  void OnCancel() override { cancelled_ = true; }
  void OnDone() override { delete this; }

  const Method method_;
  grpc::CallbackServerContext& context_;
  const std::chrono::steady_clock::time_point arrival_;
  const Deadline deadline_;
  grpc::ByteBuffer& answer_;
  Metrics& metrics_;
  RequestLog& log_;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace segue

#endif  // SEGUE_SERVER_REQUESTS_CALL_H_
