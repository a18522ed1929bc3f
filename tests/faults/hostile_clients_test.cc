// Clients that hold a server up, and those beside them.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/faults/faults_fixture.h"
#include "tests/faults/process_facts.h"
#include "tests/server/grpc_client.h"
#include "tests/server/raw_connection.h"

namespace segue::testing {
namespace {

constexpr int kMaxStreams = 100;
// Of what a siege may take. A sanitizer keeps what was freed for a while.
constexpr int64_t kMostGrowthKib = (kSanitized ? 1024 : 256) << 10;

class HostileClientsTest : public FaultsFixture {
 protected:
  void SetUp() override {
    Publish("v");
    ASSERT_TRUE(StartServer(
        {.settings = {absl::StrCat("max_concurrent_streams=", kMaxStreams)}}));
    BeginLoad(500);
    AwaitSeconds(.3);
    ForgetPeak(process().pid());
    before_ = FactsOf(process().pid());
  }

  // While the hostile connections are still there: others are answered, and
  // little memory was taken.
  void ExpectOthersAreAnswered(const std::string& what) {
    AwaitSeconds(.5);
    // One that comes now, too.
    const auto late =
        CallWithBytes(Connect(server().address()), kRetrieveMethod, "");
    EXPECT_TRUE(late.status.ok()) << late.status.error_message();
    const std::vector<Ended> calls = EndGoodLoad();
    const int64_t growth =
        FactsOf(process().pid()).peak_kib - before_.resident_kib;
    EXPECT_LT(growth, kMostGrowthKib);
    LeaveFigure(19, absl::StrCat(what, ": failed calls of others"),
                FailedOf(calls), "0");
    LeaveFigure(19, absl::StrCat(what, ": memory at most grows by"),
                absl::StrCat(growth >> 10, " MiB"), "<= 256 MiB");
  }

  RawConnection& NewConnection() {
    connections_.push_back(std::make_unique<RawConnection>(server().address()));
    return *connections_.back();
  }
  // One whose preface and settings were exchanged; `acknowledges`: the server's
  // limits hold.
  RawConnection& NewSession(bool acknowledges) {
    RawConnection& session = NewConnection();
    EXPECT_TRUE(session.Send(
        absl::StrCat(kPreface, Frame(FrameType::kSettings, 0, 0, ""))));
    EXPECT_TRUE(session.AwaitBytes());
    if (acknowledges) {
      EXPECT_TRUE(session.Send(Frame(FrameType::kSettings, kAck, 0, "")));
    }
    return session;
  }
  // Calls on one connection that never say more than who they are: how many the
  // server took before it hung up.
  int BeginStreams(bool acknowledges, int count) {
    RawConnection& session = NewSession(acknowledges);
    const std::string headers = CallHeaders(kRetrieveMethod);
    int sent = 0;
    while (sent < count &&
           session.Send(Frame(FrameType::kHeaders, kEndHeaders,
                              static_cast<uint32_t>(2 * sent + 1), headers)) &&
           session.Receive()) {
      ++sent;
    }
    return sent;
  }

  std::vector<std::unique_ptr<RawConnection>> connections_;

 private:
  ProcessFacts before_;
};

TEST_F(HostileClientsTest, SlowOnesHoldNobodyUp) {
  const int slow = AtScale(50, 500);
  // A third stops in the middle of the preface, a third in the middle of a
  // frame's header, a third in the middle of a call's headers.
  const std::string preface(kPreface);
  const std::string session =
      absl::StrCat(kPreface, Frame(FrameType::kSettings, 0, 0, ""));
  const std::string call =
      Frame(FrameType::kHeaders, kEndHeaders, 1, CallHeaders(kRetrieveMethod));
  const std::vector<std::string> all = {
      preface.substr(0, preface.size() / 2), session + call.substr(0, 5),
      session + call.substr(0, call.size() / 2)};
  for (int i = 0; i < slow; ++i) NewConnection();
  const size_t longest = all.back().size();
  for (size_t byte = 0; byte < longest; ++byte) {
    for (int i = 0; i < slow; ++i) {
      const std::string& bytes = all[i % all.size()];
      if (byte < bytes.size()) connections_[i]->Send(bytes.substr(byte, 1));
    }
  }
  ExpectOthersAreAnswered(absl::StrCat(slow, " slow-loris connections"));
}

TEST_F(HostileClientsTest, FloodsOfPingsHoldNobodyUp) {
  constexpr int kConnections = 10;
  const int most = AtScale(2000, 1000000);
  const int descriptors = FactsOf(process().pid()).descriptors;
  const std::string ping = Frame(FrameType::kPing, 0, 0, "12345678");
  int64_t sent = 0;
  for (int i = 0; i < kConnections; ++i) {
    RawConnection& session = NewSession(/*acknowledges=*/true);
    // By turns, who takes the answers and who does not.
    const bool takes = i % 2 == 0;
    int pings = 0;
    while (pings < most && session.Send(ping) &&
           (!takes || session.Receive())) {
      ++pings;
    }
    sent += pings;
    if (!takes) continue;  // a million are too many: the server reads no more
    const int64_t answers = static_cast<int64_t>(ping.size()) * most;
    while (session.received() < answers && session.AwaitBytes()) {
    }
    EXPECT_EQ(pings, most);
    EXPECT_GE(session.received(), answers);
  }
  // None of them answers what the server asks of the silent.
  if (AtFullScale()) {
    AwaitSeconds(70);
    EXPECT_EQ(FactsOf(process().pid()).descriptors, descriptors);
  }
  ExpectOthersAreAnswered(
      absl::StrCat(sent, " pings on ", kConnections, " connections"));
}

TEST_F(HostileClientsTest, StreamsBeyondTheLimitHoldNobodyUp) {
  const int count = AtScale(2000, 100000);
  const int taken = BeginStreams(/*acknowledges=*/true, count);
  ExpectOthersAreAnswered(absl::StrCat("streams on one connection, ", taken,
                                       " of ", count, " begun, ", kMaxStreams,
                                       " allowed"));
}

// A limit that the client has not acknowledged does not hold yet (RFC 9113,
// 6.5.3), and nothing else in gRPC 1.51 bounds how many there are: what one of
// them costs is what can be held down.
TEST_F(HostileClientsTest, StreamsOfOneThatKnowsNoLimitHoldNobodyUp) {
  const int count = AtScale(2000, 10000);
  const int taken = BeginStreams(/*acknowledges=*/false, count);
  ExpectOthersAreAnswered(
      absl::StrCat("streams on one connection without "
                   "acknowledged settings, ",
                   taken, " of ", count, " begun"));
}

TEST_F(HostileClientsTest, MessagesThatAreTooLargeHoldNobodyUp) {
  const int messages = AtScale(10, 500);
  const std::string large(8 << 20, 'x');
  const auto channel = Connect(server().address());
  for (int i = 0; i < messages; ++i) {
    const RawAnswer answer = CallWithBytes(channel, kRetrieveMethod, large);
    ASSERT_EQ(answer.status.error_code(), grpc::RESOURCE_EXHAUSTED)
        << answer.status.error_message();
  }
  // One that only says that 4 GiB are to come.
  RawConnection& session = NewSession(/*acknowledges=*/true);
  const std::string announced = {'\0', '\xff', '\xff', '\xff', '\xff', 'x'};
  EXPECT_TRUE(session.Send(absl::StrCat(
      Frame(FrameType::kHeaders, kEndHeaders, 1, CallHeaders(kRetrieveMethod)),
      Frame(FrameType::kData, 0, 1, announced))));
  ExpectOthersAreAnswered(
      absl::StrCat(messages, " messages of 8 MiB, and one of 4 GiB announced"));
}

}  // namespace
}  // namespace segue::testing
