// gRPC calls as no generated stub makes them: of any bytes, step by step.
#ifndef SEGUE_TESTS_SERVER_GRPC_CLIENT_H_
#define SEGUE_TESTS_SERVER_GRPC_CLIENT_H_

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <optional>
#include <string>

namespace segue::testing {

inline constexpr char kRetrieveMethod[] = "/segue.v1.RetrievalService/Retrieve";
inline constexpr char kBatchRetrieveMethod[] =
    "/segue.v1.RetrievalService/BatchRetrieve";

// A connection of its own to host:port, on which a stream receives 64 KiB ahead
// of its reader and no more.
std::shared_ptr<grpc::Channel> Connect(
    const std::string& address,
    const std::shared_ptr<grpc::ChannelCredentials>& credentials =
        grpc::InsecureChannelCredentials());

// One call, fed and read by hand. Each function waits for what it starts; the
// call is cancelled after a minute, so that none waits for ever. One thread.
class RawCall {
 public:
  RawCall(const std::shared_ptr<grpc::Channel>& channel,
          const std::string& method);
  ~RawCall();
  RawCall(const RawCall&) = delete;
  RawCall& operator=(const RawCall&) = delete;

  // Sends a message; `last`: there will be no other.
  bool Write(const std::string& bytes, bool last);
  // Waits until the server begins to answer.
  bool ReadHeaders();
  // The next message; nothing at the end.
  std::optional<std::string> Read();
  void Cancel() { context_.TryCancel(); }
  // After the last Read().
  grpc::Status Finish();
  // Of the trailing metadata, after Finish(); empty: there is none.
  std::string Trailing(const std::string& name) const;
  // Whom the server's certificate names; empty: it has shown none.
  std::string Peer() const;

 private:
  bool Wait();

  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
};

struct RawAnswer {
  grpc::Status status;
  std::string bytes;
  std::string peer;
};
// A unary call of these bytes.
RawAnswer CallWithBytes(const std::shared_ptr<grpc::Channel>& channel,
                        const std::string& method, const std::string& bytes);

// grpc.health.v1: what Check() and Watch() ask, and the bytes of an answer.
std::string HealthRequest(const std::string& service);
inline constexpr char kServing[] = "\x08\x01";
inline constexpr char kNotServing[] = "\x08\x02";
// "" if the check itself fails.
std::string CheckHealth(const std::shared_ptr<grpc::Channel>& channel,
                        const std::string& service);

}  // namespace segue::testing

#endif  // SEGUE_TESTS_SERVER_GRPC_CLIENT_H_
