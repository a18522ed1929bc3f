#include "server/net/http_endpoint.h"

#include <httplib.h>

#include <thread>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"

namespace segue {
namespace {

constexpr size_t kThreads = 2;
constexpr time_t kTimeoutSeconds = 1;
constexpr size_t kMaxBodyBytes = 4096;
constexpr char kMetricsType[] = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace

struct HttpEndpoint::State {
  Address address;
  Handlers handlers;
  httplib::Server server;
  std::thread thread;
};

absl::StatusOr<std::unique_ptr<HttpEndpoint>> HttpEndpoint::Create(
    const Address& address, Handlers handlers) {
  auto state = std::make_unique<State>();
  state->address = address;
  state->handlers = std::move(handlers);
  httplib::Server& server = state->server;
  server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  // Slow and idle clients give their thread back, and hold up the end of the
  // process no longer than this.
  server.set_read_timeout(kTimeoutSeconds);
  server.set_write_timeout(kTimeoutSeconds);
  server.set_keep_alive_timeout(kTimeoutSeconds);
  server.set_keep_alive_max_count(1);
  server.set_payload_max_length(kMaxBodyBytes);
  // The library's default shares the port with whoever else asks for it.
  server.set_socket_options([](socket_t socket) {
    const int on = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  });
  const Handlers& handle = state->handlers;
  server.Get("/metrics", [&handle](const auto&, httplib::Response& response) {
    response.set_content(handle.metrics(), kMetricsType);
  });
  server.Get("/healthz", [&handle](const auto&, httplib::Response& response) {
    const absl::Status health = handle.health();
    response.status = health.ok() ? 200 : 503;
    response.set_content(
        health.ok() ? "ok\n" : absl::StrCat(health.message(), "\n"),
        "text/plain; charset=utf-8");
  });
  if (address.port == 0) {
    state->address.port = server.bind_to_any_port(address.host);
  } else if (!server.bind_to_port(address.host, address.port)) {
    state->address.port = -1;
  }
  if (state->address.port <= 0) {
    return absl::UnavailableError(absl::StrCat(
        "cannot listen for HTTP on ", FormatAddress(address),
        "; is the port in use? http_address in the configuration names it"));
  }
  state->thread = std::thread([&server] { server.listen_after_bind(); });
  // stop() before it runs would be lost.
  while (!server.is_running()) std::this_thread::yield();
  return absl::WrapUnique(new HttpEndpoint(std::move(state)));
}

HttpEndpoint::HttpEndpoint(std::unique_ptr<State> state)
    : state_(std::move(state)) {}

HttpEndpoint::~HttpEndpoint() {
  state_->server.stop();
  state_->thread.join();
}

const Address& HttpEndpoint::address() const { return state_->address; }

}  // namespace segue
