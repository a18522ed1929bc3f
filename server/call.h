// A unary gRPC call as a Job: from its bytes to the bytes of its answer.
#ifndef SEGUE_SERVER_CALL_H_
#define SEGUE_SERVER_CALL_H_

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>

#include "absl/status/status.h"
#include "core/base/deadline.h"
#include "server/job.h"
#include "server/metrics.h"

namespace segue {

// The same moment on the clock that Deadline uses; gRPC's "never" stays never.
inline Deadline ToDeadline(std::chrono::system_clock::time_point when) {
  if (when == std::chrono::system_clock::time_point::max()) {
    return Deadline::Infinite();
  }
  return Deadline::After(when - std::chrono::system_clock::now());
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
        deadline_(ToDeadline(context.deadline())),
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
