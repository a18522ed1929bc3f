#include "server/net/grpc_listener.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <system_error>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "server/base/log.h"
#include "server/base/process.h"

namespace segue {
namespace {

constexpr int kPauseMs = 100;
constexpr std::chrono::seconds kBetweenWarnings{10};

bool SetOption(int socket, int level, int option, int value) {
  return ::setsockopt(socket, level, option, &value, sizeof(value)) == 0;
}

// Nothing but `error`, from errno, where that fails.
Descriptor ListenOn(const addrinfo& at, int silence_ms, int& error) {
  Descriptor socket(::socket(at.ai_family,
                             at.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                             at.ai_protocol));
  const int fd = socket.get();
  // No SO_REUSEPORT: two servers on one port would each get half of the
  // connections. Those that are accepted inherit the options of TCP.
  if (fd >= 0 && SetOption(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
      SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1) &&
      SetOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, silence_ms) &&
      (at.ai_family != AF_INET6 ||
       SetOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0)) &&
      ::bind(fd, at.ai_addr, at.ai_addrlen) == 0 &&
      ::listen(fd, SOMAXCONN) == 0) {
    return socket;
  }
  error = errno;
  return Descriptor();
}

absl::Status Failed(int error) {
  return absl::UnavailableError(std::generic_category().message(error));
}

// Whether an earlier one is the same: /etc/hosts may name an address twice.
bool IsRepeated(const addrinfo& at, const addrinfo* first) {
  for (const addrinfo* one = first; one != &at; one = one->ai_next) {
    if (one->ai_addrlen == at.ai_addrlen &&
        std::memcmp(one->ai_addr, at.ai_addr, at.ai_addrlen) == 0) {
      return true;
    }
  }
  return false;
}

int PortOf(const Descriptor& socket) {
  sockaddr_in6 bound{};  // IPv4 has its port at the same place
  socklen_t size = sizeof(bound);
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound), &size);
  return ntohs(bound.sin6_port);
}

absl::StatusOr<std::vector<Descriptor>> ListenOnAll(const Address& address,
                                                    int silence_ms) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failure = ::getaddrinfo(
      address.host.c_str(), absl::StrCat(address.port).c_str(), &hints, &found);
  if (failure != 0) return absl::UnavailableError(::gai_strerror(failure));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(
      found, &::freeaddrinfo);
  std::vector<Descriptor> sockets;
  int lacks = 0;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    if (IsRepeated(*at, found)) continue;
    int error = 0;
    Descriptor socket = ListenOn(*at, silence_ms, error);
    if (socket.is_open()) {
      sockets.push_back(std::move(socket));
      if (address.port == 0) break;
    } else if (error == EADDRNOTAVAIL || error == EAFNOSUPPORT) {
      lacks = error;  // a name may stand for IPv6 where a machine has none
    } else {
      return Failed(error);
    }
  }
  if (sockets.empty()) return Failed(lacks);
  return sockets;
}

void BoundSilence(grpc::ServerBuilder& builder, int silence_ms) {
  // Until its settings have come, TLS included.
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, silence_ms);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, silence_ms);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, silence_ms);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Those of clients are only answered. By default one that pings more often
  // than every five minutes between calls is hung up on, after the third; until
  // then gRPC 1.51 keeps an error of some 900 bytes for each, which is dearer
  // than an answer. Who takes no answers is not read on after 10,000 of them.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
}

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcListener>> GrpcListener::Start(
    grpc::ServerBuilder& builder, const Address& address, Options options) {
  const int silence_ms = static_cast<int>(options.silence.count());
  ASSIGN_OR_RETURN(std::vector<Descriptor> sockets,
                   ListenOnAll(address, silence_ms));
  Descriptor stop(::eventfd(0, EFD_CLOEXEC));
  if (!stop.is_open()) return absl::UnavailableError("no descriptor is left");
  const Address bound{address.host, PortOf(sockets.front())};
  auto listener = absl::WrapUnique(
      new GrpcListener(std::move(sockets), std::move(stop),
                       FormatAddress(bound), std::move(options)));
  using Type = grpc::ServerBuilder::experimental_type::ExternalConnectionType;
  listener->acceptor_ = builder.experimental().AddExternalConnectionAcceptor(
      Type::FROM_FD, listener->options_.credentials);
  BoundSilence(builder, silence_ms);
  listener->server_ = builder.BuildAndStart();
  if (listener->server_ == nullptr) {
    return absl::UnavailableError("gRPC does not start");
  }
  listener->thread_ =
      std::thread([it = listener.get()] { it->AcceptConnections(); });
  return listener;
}

GrpcListener::GrpcListener(std::vector<Descriptor> sockets, Descriptor stop,
                           std::string address, Options options)
    : sockets_(std::move(sockets)),
      stop_(std::move(stop)),
      address_(std::move(address)),
      options_(std::move(options)) {}

GrpcListener::~GrpcListener() { Shutdown(std::chrono::system_clock::now()); }

void GrpcListener::Shutdown(std::chrono::system_clock::time_point deadline) {
  if (!thread_.joinable()) return;
  ::eventfd_write(stop_.get(), 1);
  thread_.join();
  sockets_.clear();
  server_->Shutdown(deadline);
}

void GrpcListener::AcceptConnections() {
  NameThread("accept");
  std::vector<pollfd> waits;
  for (const Descriptor& socket : sockets_) {
    waits.push_back({.fd = socket.get(), .events = POLLIN});
  }
  waits.push_back({.fd = stop_.get(), .events = POLLIN});
  pollfd& stop = waits.back();
  while (true) {
    if (::poll(waits.data(), waits.size(), -1) < 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(kPauseMs));
      continue;  // interrupted, or without memory for a moment
    }
    if (stop.revents != 0) return;
    bool pause = false;
    for (const pollfd& wait : waits) {
      if (wait.revents != 0 && !Accept(wait.fd)) pause = true;
    }
    if (pause) ::poll(&stop, 1, kPauseMs);
  }
}

bool GrpcListener::Accept(int socket) {
  Descriptor connection(
      ::accept4(socket, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!connection.is_open()) {
    // Whoever waited may have left.
    if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return true;
    Warn(absl::StrCat("connections wait: ",
                      std::generic_category().message(errno)));
    return false;
  }
  // The kernel gives the lowest number that is free: all below are in use.
  const uint64_t most = MaxDescriptors();
  const uint64_t spare = std::min(options_.spare_descriptors, most / 2);
  if (static_cast<uint64_t>(connection.get()) >= most - spare) {
    options_.on_refused();
    Warn("connections are refused: descriptors run out");
    return true;
  }
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters taken;
  taken.listener_fd = socket;
  taken.fd = connection.Release();
  acceptor_->HandleNewConnection(&taken);
  return true;
}

void GrpcListener::Warn(absl::string_view message) {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_warning_) return;
  next_warning_ = now + kBetweenWarnings;
  LogWarning(message, {{"address", address_},
                       {"max_fds", static_cast<int64_t>(MaxDescriptors())}});
}

}  // namespace segue
