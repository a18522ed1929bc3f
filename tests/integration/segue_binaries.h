// A small synthetic world for integration tests: data, training settings and a
// running server, all through the two binaries.
#ifndef SEGUE_TESTS_INTEGRATION_SEGUE_BINARIES_H_
#define SEGUE_TESTS_INTEGRATION_SEGUE_BINARIES_H_

#include <memory>
#include <string>
#include <vector>

#include "segue/v1/retrieval.grpc.pb.h"
#include "tests/integration/process.h"

namespace segue::testing {

// What a run of the trainer gave.
struct Finished {
  int code = 0;
  std::string output;
  std::string errors;
};

// segue-trainer with these arguments, to its end.
Finished RunTrainer(const std::vector<std::string>& arguments,
                    const std::string& folder);

// Writes 300 users, 2,000 items and 30,000 listens into `folder`/data.
Finished MakeData(const std::string& folder);

// The arguments of a training on that data which takes a few seconds: small
// towers, two epochs, an HNSW-IVF-PQ index. Publishes into `folder`/bundles.
std::vector<std::string> TrainArguments(const std::string& folder,
                                        const std::string& run);

// The value of "content_hash" in a bundle's manifest, by `inspect`.
std::string ContentHash(const std::string& bundle_root,
                        const std::string& folder);

// How a server differs from one that looks at its bundle root each 10 ms.
struct ServerOptions {
  // field=value of its configuration.
  std::vector<std::string> settings;
  // Begins the command, and becomes the server (env, a shell that sets limits
  // and execs "$@").
  std::vector<std::string> launcher;
  // Of its log in `folder`.
  std::string name = "server";
};

// segue-server on free ports of loopback, following a bundle root.
class RunningServer {
 public:
  // Null, with the server's log as a test failure, if it does not come up.
  static std::unique_ptr<RunningServer> Start(
      const std::string& bundle_root, const std::string& folder,
      const ServerOptions& options = {});

  // OK or an error; waits for the server to have loaded its first bundle.
  grpc::Status Retrieve(const v1::RetrieveRequest& request,
                        v1::RetrieveResponse& response);
  // The body of GET `path`; empty unless the status is 200.
  std::string Get(const std::string& path) const;
  // `segue-server admin` with this command, to its end.
  Finished Admin(const std::vector<std::string>& command) const;
  // Hangs up, sends SIGTERM and waits: the exit code.
  int Stop();
  std::string Log() const { return process_->Errors(); }
  // host:port of gRPC.
  const std::string& address() const { return address_; }
  Process& process() { return *process_; }

 private:
  RunningServer() = default;
  // Empty: it does not serve `what` yet.
  std::string AddressOf(const std::string& what) const;

  std::string folder_;
  std::unique_ptr<Process> process_;
  std::string address_, http_address_, admin_address_;
  std::unique_ptr<v1::RetrievalService::Stub> stub_;
};

// The requests that training left in `run_dir`/sample_requests.json.
std::vector<v1::RetrieveRequest> SampleRequests(const std::string& run_dir);

}  // namespace segue::testing

#endif  // SEGUE_TESTS_INTEGRATION_SEGUE_BINARIES_H_
