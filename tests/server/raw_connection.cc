#include "tests/server/raw_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace segue::testing {
namespace {

constexpr int kSendPatienceMs = 1000;
constexpr int kReceivePatienceMs = 10000;

bool Await(int socket, int16_t events, int patience_ms) {
  pollfd waited = {.fd = socket, .events = events, .revents = 0};
  return ::poll(&waited, 1, patience_ms) == 1;
}

// A header that is not in HPACK's static table, or whose value is not: literal,
// not to be indexed.
std::string Literal(absl::string_view name, absl::string_view value) {
  std::string bytes(1, '\0');
  for (const absl::string_view text : {name, value}) {
    absl::StrAppend(&bytes, std::string(1, static_cast<char>(text.size())),
                    text);
  }
  return bytes;
}

}  // namespace

RawConnection::RawConnection(const std::string& address)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in peer = {.sin_family = AF_INET};
  int port = 0;
  if (!absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port)) return;
  peer.sin_port = htons(static_cast<uint16_t>(port));
  peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&peer),
                sizeof(peer)) != 0) {
    socket_ = Descriptor();
    return;
  }
  // Each byte is to be a segment of its own.
  const int on = 1;
  ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

bool RawConnection::Send(absl::string_view bytes) {
  if (!socket_.is_open()) return false;
  while (!bytes.empty()) {
    const ssize_t n = ::send(socket_.get(), bytes.data(), bytes.size(),
                             MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
    } else if ((errno != EAGAIN && errno != EINTR) ||
               !Await(socket_.get(), POLLOUT, kSendPatienceMs)) {
      return false;
    }
  }
  return true;
}

bool RawConnection::Receive() {
  if (!socket_.is_open()) return false;
  std::array<char, 65536> bytes;
  while (true) {
    const ssize_t n =
        ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (n == 0) return false;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN;
    received_ += n;
  }
}

bool RawConnection::AwaitBytes() {
  const int64_t before = received_;
  return socket_.is_open() &&
         Await(socket_.get(), POLLIN, kReceivePatienceMs) && Receive() &&
         received_ > before;
}

bool RawConnection::AwaitHangUp() {
  return !socket_.is_open() ||
         Await(socket_.get(), POLLRDHUP, kReceivePatienceMs);
}

std::string Frame(FrameType type, uint8_t flags, uint32_t stream,
                  absl::string_view payload) {
  const auto length = static_cast<uint32_t>(payload.size());
  std::string frame;
  for (const uint32_t byte :
       {length >> 16, length >> 8, length, static_cast<uint32_t>(type),
        static_cast<uint32_t>(flags), stream >> 24, stream >> 16, stream >> 8,
        stream}) {
    frame.push_back(static_cast<char>(byte & 0xff));
  }
  absl::StrAppend(&frame, payload);
  return frame;
}

std::string CallHeaders(absl::string_view path) {
  return absl::StrCat("\x83\x86",  // :method POST, :scheme http
                      Literal(":path", path), Literal(":authority", "tests"),
                      Literal("content-type", "application/grpc"),
                      Literal("te", "trailers"));
}

}  // namespace segue::testing
