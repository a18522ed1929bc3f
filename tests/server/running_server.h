// A whole server in the test's process, on ports of its own; the test publishes
// and steps.
#ifndef SEGUE_TESTS_SERVER_RUNNING_SERVER_H_
#define SEGUE_TESTS_SERVER_RUNNING_SERVER_H_

#include <grpcpp/grpcpp.h>
#include <httplib.h>

#include <memory>
#include <string>

#include "segue/v1/config.pb.h"
#include "segue/v1/retrieval.grpc.pb.h"
#include "server/server.h"
#include "tests/server/grpc_client.h"
#include "tests/server/metric_values.h"
#include "tests/server/text_message.h"
#include "tests/testing/temp_folder.h"
#include "tests/testing/tiny_bundle.h"

namespace segue::testing {

class RunningServer {
 public:
  // `config`: fields of ServerConfig over loopback, free ports, two workers.
  explicit RunningServer(const std::string& config = "");

  // Publishes; the server does not know yet.
  std::string Publish(const TinyBundleOptions& options = {}) const;
  // Makes what is published live; waits for requests that use an older one.
  void GoLive();
  // Both.
  std::string Serve(const TinyBundleOptions& options = {});

  // Calls Stub::`method` with the request that `text` is.
  template <typename Request, typename Response>
  grpc::Status Call(grpc::Status (v1::RetrievalService::Stub::*method)(
                        grpc::ClientContext*, const Request&, Response*),
                    const std::string& text, Response& response) const {
    grpc::ClientContext context;
    return (*stub_.*method)(&context, FromText<Request>(text), &response);
  }

  double Metric(const std::string& series) {
    return MetricValue(server_->metrics().Text(), series);
  }

  Server& server() { return *server_; }
  // Drains and destroys it.
  void DestroyServer() { server_.reset(); }
  v1::RetrievalService::Stub& stub() const { return *stub_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  const TempFolder root_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::RetrievalService::Stub> stub_;
};

// Of its http_address.
httplib::Client Http(const Server& server);

// A configuration on loopback with free ports.
v1::ServerConfig LoopbackConfig(const std::string& bundle_root);

}  // namespace segue::testing

#endif  // SEGUE_TESTS_SERVER_RUNNING_SERVER_H_
