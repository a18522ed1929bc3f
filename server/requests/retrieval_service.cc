#include "server/requests/retrieval_service.h"

#include <string>
#include <utility>

#include "core/base/status_macros.h"
#include "core/retrieval/retriever.h"
#include "server/requests/call.h"
#include "server/requests/request_validation.h"

namespace segue {
namespace {

class RetrieveCall : public Call<v1::RetrieveRequest, v1::RetrieveResponse> {
 public:
  using Call::Call;
  int query_count() const override { return 1; }
  const v1::RetrieveRequest& query(int) const override { return request_; }
  absl::string_view bundle_version() const override {
    return request_.bundle_version();
  }
  v1::RetrieveResponse& response(int) override { return answered_; }
};

class BatchRetrieveCall
    : public Call<v1::BatchRetrieveRequest, v1::BatchRetrieveResponse> {
 public:
  using Call::Call;
  int query_count() const override { return request_.requests_size(); }
  const v1::RetrieveRequest& query(int i) const override {
    return request_.requests(i);
  }
  absl::string_view bundle_version() const override {
    return request_.requests().empty() ? "" : query(0).bundle_version();
  }
  // Queries are answered in order.
  v1::RetrieveResponse& response(int i) override {
    while (answered_.responses_size() <= i) answered_.add_responses();
    return *answered_.mutable_responses(i);
  }
};

class SimilarItemsCall
    : public Call<v1::SimilarItemsRequest, v1::SimilarItemsResponse> {
 public:
  using Call::Call;
  absl::Status Run(const ServingSnapshot& snapshot) override {
    ASSIGN_OR_RETURN(answered_, FindSimilarItems(snapshot, request_));
    return absl::OkStatus();
  }
};

class DescribeItemsCall
    : public Call<v1::DescribeItemsRequest, v1::DescribeItemsResponse> {
 public:
  using Call::Call;
  absl::Status Run(const ServingSnapshot& snapshot) override {
    answered_ = DescribeItems(snapshot, request_);
    return absl::OkStatus();
  }
};

bool IsDocumented(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnavailable:
      return true;
    default:
      return false;
  }
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(IsDocumented(status.code())
                          ? static_cast<grpc::StatusCode>(status.code())
                          : grpc::StatusCode::INTERNAL,
                      std::string(status.message()));
}

template <typename CallType>
grpc::ServerUnaryReactor* RetrievalService::Handle(
    Method method, grpc::CallbackServerContext* context,
    const grpc::ByteBuffer* request, grpc::ByteBuffer* answer) {
  auto* call = new CallType(method, *context, *answer, metrics_, log_);
  absl::Status status = call->Parse(*request);
  if (status.ok()) status = ValidateRequest(bounds_, call->request());
  if (status.ok()) {
    status = pool_.Submit(call);
    if (absl::IsResourceExhausted(status)) metrics_.CountShed(WhyShed(status));
  }
  if (!status.ok()) call->Complete(status);
  // Not yet gone: gRPC finishes a reactor after it has been returned.
  return call;
}

grpc::ServerUnaryReactor* RetrievalService::Retrieve(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* answer) {
  return Handle<RetrieveCall>(Method::kRetrieve, context, request, answer);
}

grpc::ServerUnaryReactor* RetrievalService::BatchRetrieve(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* answer) {
  return Handle<BatchRetrieveCall>(Method::kBatchRetrieve, context, request,
                                   answer);
}

grpc::ServerUnaryReactor* RetrievalService::SimilarItems(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* answer) {
  return Handle<SimilarItemsCall>(Method::kSimilarItems, context, request,
                                  answer);
}

grpc::ServerUnaryReactor* RetrievalService::DescribeItems(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* answer) {
  return Handle<DescribeItemsCall>(Method::kDescribeItems, context, request,
                                   answer);
}

}  // namespace segue
