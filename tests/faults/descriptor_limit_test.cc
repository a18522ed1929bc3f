// More connections than a server may have descriptors.
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/faults/faults_fixture.h"
#include "tests/faults/process_facts.h"
#include "tests/faults/raw_connection.h"
#include "tests/server/grpc_client.h"

namespace segue::testing {
namespace {

using DescriptorLimitTest = FaultsFixture;

TEST_F(DescriptorLimitTest, BeyondItThoseWhoAreConnectedAreAnswered) {
  constexpr int kLimit = 128;
  constexpr int kConnections = 2 * kLimit;
  Publish("before");
  ASSERT_TRUE(StartServer(
      {.launcher = {"/bin/sh", "-c",
                    absl::StrCat("ulimit -n ", kLimit, "; exec \"$@\""),
                    "sh"}}));
  BeginLoad(500);
  AwaitSeconds(.1);
  std::vector<std::unique_ptr<RawConnection>> connections;
  for (int i = 0; i < kConnections; ++i) {
    connections.push_back(std::make_unique<RawConnection>(server().address()));
  }
  ASSERT_TRUE(process().WaitUntil([&] {
    return FactsOf(process().pid()).descriptors >= kLimit;
  })) << server().Log();
  AwaitSeconds(.3);

  connections.clear();
  ASSERT_TRUE(process().WaitUntil([&] {
    return FactsOf(process().pid()).descriptors < kLimit - 10;
  })) << server().Log();
  const std::string after = Publish("after");
  AwaitAnswerOf(after);
  const std::vector<Ended> calls = EndGoodLoad();
  LeaveFigure(24,
              absl::StrCat(kConnections, " connections, ", kLimit,
                           " descriptors: failed calls of those before"),
              FailedOf(calls), "0");
  // gRPC 1.51 accepts no more once accept() has failed, so this is no
  // expectation (github.com/grpc/grpc/issues/20418).
  const bool accepts = Connect(server().address())
                           ->WaitForConnected(std::chrono::system_clock::now() +
                                              std::chrono::seconds(1));
  LeaveFigure(24, "the same, once they have hung up: new clients get through",
              accepts ? "yes" : "no", "yes");
}

// As shells and service managers start processes.
TEST_F(DescriptorLimitTest, WhereMoreAreAllowedTheyAreTaken) {
  constexpr int kFirst = 128;
  Publish("a");
  ASSERT_TRUE(StartServer(
      {.launcher = {"/bin/sh", "-c",
                    absl::StrCat("ulimit -Sn ", kFirst, "; exec \"$@\""),
                    "sh"}}));
  std::vector<std::unique_ptr<RawConnection>> connections;
  for (int i = 0; i < 2 * kFirst; ++i) {
    connections.push_back(std::make_unique<RawConnection>(server().address()));
  }
  ASSERT_TRUE(process().WaitUntil([&] {
    return FactsOf(process().pid()).descriptors > 2 * kFirst;
  })) << server().Log();
  EXPECT_FALSE(Answering().empty());
  EXPECT_GT(Metric("process_max_fds"), 2 * kFirst);
}

}  // namespace
}  // namespace segue::testing
