// segue.v1.RetrievalService over gRPC: parse, validate, queue.
#ifndef SEGUE_SERVER_REQUESTS_RETRIEVAL_SERVICE_H_
#define SEGUE_SERVER_REQUESTS_RETRIEVAL_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include "segue/v1/config.pb.h"
#include "segue/v1/retrieval.grpc.pb.h"
#include "server/metrics/metrics.h"
#include "server/queue/worker_pool.h"
#include "server/requests/request_log.h"

namespace segue {

// Handlers run on gRPC's threads and only parse, validate and queue; workers do
// the rest. Borrows pool, metrics and log, which outlive it and every call.
// Thread-safe.
class RetrievalService
    : public v1::RetrievalService::WithRawCallbackMethod_Retrieve<
          v1::RetrievalService::WithRawCallbackMethod_BatchRetrieve<
              v1::RetrievalService::WithRawCallbackMethod_SimilarItems<
                  v1::RetrievalService::WithRawCallbackMethod_DescribeItems<
                      v1::RetrievalService::Service>>>> {
 public:
  // As health checks name it.
  static constexpr char kName[] = "segue.v1.RetrievalService";

  // `bounds`: what request_validation.h checks against.
  RetrievalService(v1::ServerConfig bounds, WorkerPool& pool, Metrics& metrics,
                   RequestLog& log)
      : bounds_(std::move(bounds)), pool_(pool), metrics_(metrics), log_(log) {}

  grpc::ServerUnaryReactor* Retrieve(grpc::CallbackServerContext* context,
                                     const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* answer) override;
  grpc::ServerUnaryReactor* BatchRetrieve(grpc::CallbackServerContext* context,
                                          const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* answer) override;
  grpc::ServerUnaryReactor* SimilarItems(grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* answer) override;
  grpc::ServerUnaryReactor* DescribeItems(grpc::CallbackServerContext* context,
                                          const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* answer) override;

 private:
  template <typename CallType>
  grpc::ServerUnaryReactor* Handle(Method method,
                                   grpc::CallbackServerContext* context,
                                   const grpc::ByteBuffer* request,
                                   grpc::ByteBuffer* answer);

  const v1::ServerConfig bounds_;
  WorkerPool& pool_;
  Metrics& metrics_;
  RequestLog& log_;
};

}  // namespace segue

#endif  // SEGUE_SERVER_REQUESTS_RETRIEVAL_SERVICE_H_
