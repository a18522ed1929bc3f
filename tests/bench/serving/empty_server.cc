// A gRPC server that does nothing: answers Retrieve at once with one and the
// same answer. What a call costs beyond that is Segue's own.
//
//   empty_server PORT [ITEMS]      ITEMS ids and scores in the answer (100)
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "segue/v1/retrieval.grpc.pb.h"

namespace segue {
namespace {

// As a bundle's: a version, ids of seven digits.
grpc::ByteBuffer Answer(int items) {
  v1::RetrieveResponse response;
  for (int i = 0; i < items; ++i) {
    response.add_item_ids(std::to_string(1000000 + i));
    response.add_scores(1.0f / static_cast<float>(i + 1));
  }
  response.set_bundle_version("20260131T235959Z-0123456789ab");
  grpc::ByteBuffer bytes;
  bool own = false;
  (void)grpc::SerializationTraits<v1::RetrieveResponse>::Serialize(
      response, &bytes, &own);
  return bytes;
}

class Service : public v1::RetrievalService::WithRawCallbackMethod_Retrieve<
                    v1::RetrievalService::Service> {
 public:
  explicit Service(int items) : answer_(Answer(items)) {}

  grpc::ServerUnaryReactor* Retrieve(grpc::CallbackServerContext* context,
                                     const grpc::ByteBuffer*,
                                     grpc::ByteBuffer* answer) override {
    *answer = answer_;
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  const grpc::ByteBuffer answer_;
};

int Main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("empty_server PORT [ITEMS]\n", stderr);
    return 2;
  }
  Service service(argc > 2 ? std::atoi(argv[2]) : 100);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(std::string("127.0.0.1:") + argv[1],
                           grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  if (server == nullptr) {
    std::fprintf(stderr, "empty_server: cannot listen on %s\n", argv[1]);
    return 1;
  }
  std::puts("serving");
  std::fflush(stdout);
  server->Wait();
  return 0;
}

}  // namespace
}  // namespace segue

int main(int argc, char** argv) { return segue::Main(argc, argv); }
