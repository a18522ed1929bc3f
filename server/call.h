// A unary gRPC call as a Job: from its bytes to the bytes of its answer.
#ifndef SEGUE_SERVER_CALL_H_
#define SEGUE_SERVER_CALL_H_

#include <grpc/support/time.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "absl/status/status.h"
#include "core/base/deadline.h"
#include "server/job.h"
#include "server/metrics.h"

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

// Codes that README.md documents go out as they are, others as INTERNAL.
grpc::Status ToGrpcStatus(const absl::Status& status);

// Owned by gRPC: deletes itself in OnDone(), which comes after Complete() and
// after the last OnCancel(). Borrows context, buffers and metrics.
//
// Request bytes are parsed here and not by generated code, which would answer
// UNIMPLEMENTED to bytes that do not parse or strings that are not UTF-8.
template <typename Request, typename Response>
class Call : public Job, public grpc::ServerUnaryReactor {
 public:
  Call(Method method, grpc::CallbackServerContext& context,
       grpc::ByteBuffer& answer, Metrics& metrics)
      : method_(method),
        arrival_(std::chrono::steady_clock::now()),
        deadline_(ToDeadline(context.raw_deadline())),
        answer_(answer),
        metrics_(metrics) {}

  absl::Status Parse(const grpc::ByteBuffer& bytes) {
    grpc::ByteBuffer copy = bytes;  // of the reference, not of the bytes
    if (grpc::SerializationTraits<Request>::Deserialize(&copy, &request_)
            .ok()) {
      return absl::OkStatus();
    }
    return absl::InvalidArgumentError(
        "the request does not parse: not the message of this method, or a "
        "string that is not UTF-8");
  }
  const Request& request() const { return request_; }

  Deadline deadline() const override { return deadline_; }
  bool IsCancelled() const override { return cancelled_; }
  int query_count() const override { return 0; }
  const v1::RetrieveRequest& query(int) const override {
    return v1::RetrieveRequest::default_instance();
  }
  v1::RetrieveResponse& response(int) override { return unused_; }
  absl::Status Run(const ServingSnapshot&) override { return absl::OkStatus(); }

  void Complete(const absl::Status& status) override {
    grpc::Status sent = ToGrpcStatus(status);
    if (sent.ok()) {
      bool own_buffer = false;
      sent = grpc::SerializationTraits<Response>::Serialize(answered_, &answer_,
                                                            &own_buffer);
    }
    metrics_.CountRequest(method_,
                          static_cast<absl::StatusCode>(sent.error_code()),
                          std::chrono::steady_clock::now() - arrival_);
    Finish(sent);
  }

 protected:
  Request request_;
  Response answered_;

 private:
  void OnCancel() override { cancelled_ = true; }
  void OnDone() override { delete this; }

  const Method method_;
  const std::chrono::steady_clock::time_point arrival_;
  const Deadline deadline_;
  grpc::ByteBuffer& answer_;
  Metrics& metrics_;
  std::atomic<bool> cancelled_ = false;
  v1::RetrieveResponse unused_;
};

}  // namespace segue

#endif  // SEGUE_SERVER_CALL_H_
