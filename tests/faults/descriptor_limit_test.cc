// More connections than a server may have descriptors.
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/faults/faults_fixture.h"
#include "tests/faults/process_facts.h"
#include "tests/server/grpc_client.h"
#include "tests/server/raw_connection.h"

namespace segue::testing {
namespace {

using ::testing::HasSubstr;

using DescriptorLimitTest = FaultsFixture;

TEST_F(DescriptorLimitTest, BeyondItNewClientsWaitForOthersToLeave) {
  constexpr int kLimit = 256;
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
    return Metric("segue_connections_refused_total") > kConnections - kLimit;
  })) << server().Log();
  // What the server itself opens still finds descriptors.
  AwaitAnswerOf(Publish("meanwhile"));
  EXPECT_EQ(FailedReloads(), 0);
  EXPECT_THAT(server().Log(), HasSubstr("descriptors run out"));

  connections.clear();
  const bool accepts = Connect(server().address())
                           ->WaitForConnected(std::chrono::system_clock::now() +
                                              std::chrono::seconds(20));
  EXPECT_TRUE(accepts);
  const std::vector<Ended> calls = EndGoodLoad();
  LeaveFigure(24,
              absl::StrCat(kConnections, " connections, ", kLimit,
                           " descriptors: failed calls of those before"),
              FailedOf(calls), "0");
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
