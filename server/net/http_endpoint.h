// The operators' listener: /metrics and /healthz over HTTP.
#ifndef SEGUE_SERVER_NET_HTTP_ENDPOINT_H_
#define SEGUE_SERVER_NET_HTTP_ENDPOINT_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/net/address.h"

namespace segue {

// GET /metrics: 200 and metrics(). GET /healthz: 200 "ok", or 503 and the
// reason where health() is an error. Everything else: 404.
//
// Serves from its creation to its destruction on a few threads of its own, from
// which both functions are called, several at once.
class HttpEndpoint {
 public:
  struct Handlers {
    std::function<std::string()> metrics;
    std::function<absl::Status()> health;
  };

  // Unavailable if the address cannot be bound.
  static absl::StatusOr<std::unique_ptr<HttpEndpoint>> Create(
      const Address& address, Handlers handlers);
  ~HttpEndpoint();

  // With the port that was bound.
  const Address& address() const;

 private:
  struct State;
  explicit HttpEndpoint(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace segue

#endif  // SEGUE_SERVER_NET_HTTP_ENDPOINT_H_
