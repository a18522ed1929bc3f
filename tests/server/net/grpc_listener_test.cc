#include "server/net/grpc_listener.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <semaphore>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/descriptor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/raw_connection.h"
#include "tests/testing/scoped_descriptor_limit.h"
#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using segue::testing::Frame;
using segue::testing::FrameType;
using segue::testing::IsOk;
using segue::testing::kAck;
using segue::testing::kPreface;
using segue::testing::RawConnection;
using segue::testing::ScopedDescriptorLimit;
using segue::testing::StatusIs;
using ::testing::HasSubstr;

absl::StatusOr<std::unique_ptr<GrpcListener>> Listen(
    const Address& address, std::function<void()> on_refused = [] {},
    std::chrono::milliseconds silence = std::chrono::seconds(30)) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  return GrpcListener::Start(builder, address,
                             {.spare_descriptors = UINT64_MAX,
                              .silence = silence,
                              .on_refused = std::move(on_refused)});
}

// Bears no silence.
constexpr std::chrono::milliseconds kImpatience{100};

// How many of this process's connections have such an option of TCP.
int ConnectionsWith(int option, int64_t value) {
  int found = 0;
  for (int fd = 0; fd < 1000; ++fd) {
    sockaddr_in peer{};
    socklen_t peer_size = sizeof(peer);
    int its = 0;
    socklen_t size = sizeof(its);
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) ==
            0 &&
        ::getsockopt(fd, IPPROTO_TCP, option, &its, &size) == 0 &&
        its == value) {
      ++found;
    }
  }
  return found;
}

int PortOf(const GrpcListener& listener) {
  const auto address = ParseAddress(listener.address());
  return address.ok() ? address->port : 0;
}

// Whether gRPC answers there.
bool Answers(const std::string& address) {
  return grpc::CreateChannel(address, grpc::InsecureChannelCredentials())
      ->WaitForConnected(std::chrono::system_clock::now() +
                         std::chrono::seconds(10));
}

void Connect(const Descriptor& socket, int port) {
  sockaddr_in server{};
  server.sin_family = AF_INET;
  server.sin_port = htons(static_cast<uint16_t>(port));
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // What came of it is seen by whoever reads.
  static_cast<void>(::connect(
      socket.get(), reinterpret_cast<sockaddr*>(&server), sizeof(server)));
}

bool HasIpv6() {
  const Descriptor socket(::socket(AF_INET6, SOCK_STREAM, 0));
  sockaddr_in6 loopback{};
  loopback.sin6_family = AF_INET6;
  loopback.sin6_addr = in6addr_loopback;
  return socket.is_open() &&
         ::bind(socket.get(), reinterpret_cast<sockaddr*>(&loopback),
                sizeof(loopback)) == 0;
}

TEST(GrpcListenerTest, TellsThePortThatItPicked) {
  const auto listener = Listen({"127.0.0.1", 0});
  ASSERT_THAT(listener, IsOk());
  EXPECT_GT(PortOf(**listener), 0);
  EXPECT_TRUE(Answers((*listener)->address()));
}

TEST(GrpcListenerTest, APortInUseIsRefusedWithTheReason) {
  const auto first = Listen({"127.0.0.1", 0});
  ASSERT_THAT(first, IsOk());
  EXPECT_THAT(Listen({"127.0.0.1", PortOf(**first)}),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("Address already in use")));
}

TEST(GrpcListenerTest, AnAddressOfNobodyIsRefused) {
  // 192.0.2.0/24 is for documentation (RFC 5737).
  EXPECT_THAT(Listen({"192.0.2.1", 0}),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("Cannot assign requested address")));
}

TEST(GrpcListenerTest, ANameIsEveryAddressThatItStandsFor) {
  int port = 0;
  {
    const auto first = Listen({"localhost", 0});
    ASSERT_THAT(first, IsOk());
    port = PortOf(**first);
  }
  const auto listener = Listen({"localhost", port});
  ASSERT_THAT(listener, IsOk());
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  ASSERT_EQ(::getaddrinfo("localhost", nullptr, &hints, &found), 0);
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    if (at->ai_family == AF_INET) {
      EXPECT_TRUE(Answers(absl::StrCat("127.0.0.1:", port)));
    } else if (HasIpv6()) {
      EXPECT_TRUE(Answers(absl::StrCat("[::1]:", port)));
    }
  }
  ::freeaddrinfo(found);
}

TEST(GrpcListenerTest, TheAddressOfAllTakesBothFamilies) {
  if (!HasIpv6()) GTEST_SKIP() << "this machine has no IPv6";
  const auto listener = Listen({"::", 0});
  ASSERT_THAT(listener, IsOk());
  const int port = PortOf(**listener);
  EXPECT_TRUE(Answers(absl::StrCat("127.0.0.1:", port)));
  EXPECT_TRUE(Answers(absl::StrCat("[::1]:", port)));
}

TEST(GrpcListenerTest, NobodyIsTakenAfterItsEnd) {
  const auto listener = Listen({"127.0.0.1", 0});
  ASSERT_THAT(listener, IsOk());
  const int port = PortOf(**listener);
  (*listener)->Shutdown(std::chrono::system_clock::now());
  const auto next = Listen({"127.0.0.1", port});
  EXPECT_THAT(next, IsOk()) << "the port is not free";
}

TEST(GrpcListenerTest, WhomItRefusesForWantOfDescriptorsItTakesLater) {
  // What earlier tests opened may close meanwhile; not so many.
  constexpr int kHeld = 100, kClients = 50;
  std::counting_semaphore<> refused(0);
  const auto listener =
      Listen({"127.0.0.1", 0}, [&refused] { refused.release(); });
  ASSERT_THAT(listener, IsOk());
  {
    std::vector<Descriptor> held, clients;
    for (int i = 0; i < kHeld; ++i) held.emplace_back(::dup(STDERR_FILENO));
    // All that are not spare are below the last.
    const ScopedDescriptorLimit limit(2 * held.back().get());
    for (int i = 0; i < kClients; ++i) {
      clients.emplace_back(::socket(AF_INET, SOCK_STREAM, 0));
      Connect(clients.back(), PortOf(**listener));
    }
    refused.acquire();
  }
  EXPECT_TRUE(Answers((*listener)->address()));
}

TEST(GrpcListenerTest, WhoeverWaitsForADescriptorGetsOne) {
  const auto listener = Listen({"127.0.0.1", 0}, [] {});
  ASSERT_THAT(listener, IsOk());
  const Descriptor client(::socket(AF_INET, SOCK_STREAM, 0));
  // What a server says first, its SETTINGS.
  pollfd greeting = {.fd = client.get(), .events = POLLIN};
  {
    const ScopedDescriptorLimit limit(3);  // taken, all three
    Connect(client, PortOf(**listener));
    EXPECT_EQ(::poll(&greeting, 1, 50), 0) << "there was none";
  }
  EXPECT_EQ(::poll(&greeting, 1, 10000), 1);
  char byte = 0;
  EXPECT_EQ(::recv(client.get(), &byte, 1, 0), 1) << "hung up on";
}

TEST(GrpcListenerTest, WhoGivesNoSignOfLifeIsHungUpOn) {
  const auto listener = Listen(
      {"127.0.0.1", 0}, [] {}, kImpatience);
  ASSERT_THAT(listener, IsOk());
  RawConnection session((*listener)->address());
  EXPECT_TRUE(
      session.Send(absl::StrCat(kPreface, Frame(FrameType::kSettings, 0, 0, ""),
                                Frame(FrameType::kSettings, kAck, 0, ""))));
  EXPECT_TRUE(session.AwaitHangUp());
}

TEST(GrpcListenerTest, WhoSaysNothingAtAllIsHungUpOn) {
  const auto listener = Listen(
      {"127.0.0.1", 0}, [] {}, kImpatience);
  ASSERT_THAT(listener, IsOk());
  EXPECT_TRUE(RawConnection((*listener)->address()).AwaitHangUp());
}

// Who takes none of its answers is hung up on by the kernel, which takes longer
// than a test may: hostile_clients_test sees it at full scale.
TEST(GrpcListenerTest, TheKernelIsToldWhatSilenceIsTooLong) {
  constexpr std::chrono::milliseconds kSilence{54321};  // nobody else's
  const auto listener = Listen(
      {"127.0.0.1", 0}, [] {}, kSilence);
  ASSERT_THAT(listener, IsOk());
  RawConnection client((*listener)->address());
  EXPECT_TRUE(client.AwaitBytes());
  EXPECT_EQ(ConnectionsWith(TCP_USER_TIMEOUT, kSilence.count()), 1);
}

}  // namespace
}  // namespace segue
