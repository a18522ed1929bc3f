// A gRPC server on a port whose connections this process accepts itself.
//
// gRPC 1.51 stops listening for good once the process lacks a descriptor
// (grpc/grpc#20418), which any client can bring about. Here some are kept back:
// who connects when all others are taken is hung up on, and what the server
// itself opens (bundles, metrics, commands) still finds one.
#ifndef SEGUE_SERVER_NET_GRPC_LISTENER_H_
#define SEGUE_SERVER_NET_GRPC_LISTENER_H_

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/descriptor.h"
#include "server/net/address.h"

namespace segue {

class GrpcListener {
 public:
  struct Options {
    // Descriptors that connections leave to others; half of all at most.
    uint64_t spare_descriptors = 0;
    // Who does not become a client within this time, TLS included, is hung up
    // on. A client that says nothing for so long is asked for a sign of life,
    // and hung up on if it gives none for as long again; one that takes nothing
    // of what waits for it is hung up on after so long. Either is gone, or
    // hangs, and its answers take memory.
    std::chrono::milliseconds silence{30000};
    std::shared_ptr<grpc::ServerCredentials> credentials =
        grpc::InsecureServerCredentials();
    // Somebody was hung up on for want of descriptors. Called from one thread.
    std::function<void()> on_refused;
  };

  // Builds and starts the server on the addresses that the host stands for, on
  // one of them where the port is 0. [::] takes IPv4 too. Unavailable, with
  // the reason, where that fails.
  static absl::StatusOr<std::unique_ptr<GrpcListener>> Start(
      grpc::ServerBuilder& builder, const Address& address, Options options);
  GrpcListener(const GrpcListener&) = delete;
  GrpcListener& operator=(const GrpcListener&) = delete;
  // Shuts down, if that was not done, and cancels calls.
  ~GrpcListener();

  grpc::Server& server() { return *server_; }
  // host:port, with the port that was bound.
  const std::string& address() const { return address_; }
  // No connection and no call from now on; calls have until `deadline`, then
  // they are cancelled. One thread.
  void Shutdown(std::chrono::system_clock::time_point deadline);

 private:
  GrpcListener(std::vector<Descriptor> sockets, Descriptor stop,
               std::string address, Options options);
  // Of the thread, until `stop_` can be read.
  void AcceptConnections();
  // One that waits at `socket`. False: it is of no use to try again at once.
  bool Accept(int socket);
  // At most once in a while.
  void Warn(absl::string_view message);

  std::vector<Descriptor> sockets_;
  const Descriptor stop_;
  const std::string address_;
  const Options options_;
  std::chrono::steady_clock::time_point next_warning_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor_;
  std::unique_ptr<grpc::Server> server_;
  std::thread thread_;
};

}  // namespace segue

#endif  // SEGUE_SERVER_NET_GRPC_LISTENER_H_
