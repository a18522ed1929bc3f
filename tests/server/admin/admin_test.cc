// AdminService, asked as `segue-server admin` asks it.
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/admin/admin_client.h"
#include "server/base/log.h"
#include "tests/server/running_server.h"
#include "tests/testing/signing_keys.h"
#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using segue::testing::IsOk;
using segue::testing::RunningServer;
using segue::testing::StatusIs;
using ::testing::_;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class AdminTest : public ::testing::Test {
 protected:
  ~AdminTest() override { SetLeastLogLevel(LogLevel::kInfo); }

  absl::StatusOr<std::string> Send(
      const std::string& command,
      const std::vector<std::string>& arguments = {}) {
    return SendAdminCommand({.address = running_.server().admin_address()},
                            command, arguments, std::chrono::seconds(60));
  }
  std::string Says(const std::string& command,
                   const std::vector<std::string>& arguments = {}) {
    const auto answer = Send(command, arguments);
    EXPECT_THAT(answer, IsOk()) << command;
    return answer.value_or("");
  }
  std::string Live() { return running_.server().live_version(); }

  RunningServer running_;
};

TEST_F(AdminTest, StatusTellsWhatServesAndWhyNothingDoes) {
  ASSERT_EQ(running_.server().manager().Step(),
            BundleManager::StepResult::kFailed);
  EXPECT_THAT(Says("status"),
              AllOf(HasSubstr("last_error"), HasSubstr("CURRENT"),
                    Not(HasSubstr("live_version"))));
  const std::string version = running_.Serve();
  EXPECT_THAT(Says("status"),
              AllOf(HasSubstr("\"live_version\": \"" + version + "\""),
                    HasSubstr("\"log_level\": \"INFO\""),
                    Not(HasSubstr("last_error"))));
}

TEST_F(AdminTest, RollbackIsOneCommand) {
  const std::string first = running_.Serve({.prefix = "a"});
  const std::string second = running_.Serve({.prefix = "b"});
  ASSERT_EQ(Live(), second);
  EXPECT_THAT(Says("rollback"),
              AllOf(HasSubstr("\"live_version\": \"" + first + "\""),
                    HasSubstr("\"held_version\": \"" + second + "\""),
                    HasSubstr("\"pinned_version\": \"" + first + "\"")));
  EXPECT_EQ(Live(), first);
}

// And not that the operator is not known.
TEST(AdminTrustTest, ABundleThatNobodySignedIsSaidToBeOne) {
  const testing::KeyFiles keys;
  RunningServer running("trusted_keys_file: '" + keys.trusted + "'");
  running.Serve({.signing_key_file = keys.first});
  const std::string version = running.Publish({.prefix = "b"});
  EXPECT_THAT(SendAdminCommand({.address = running.server().admin_address()},
                               "pin", {version}, std::chrono::seconds(60)),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("is not signed")));
}

TEST_F(AdminTest, VersionsArePinnedUnpinnedDeniedAndAllowed) {
  const std::string first = running_.Serve({.prefix = "a"});
  const std::string second = running_.Serve({.prefix = "b"});
  Says("pin", {first});
  EXPECT_EQ(Live(), first);
  Says("unpin");
  EXPECT_EQ(Live(), second);
  Says("deny", {second});
  EXPECT_EQ(Live(), first);
  EXPECT_THAT(Says("list"), AllOf(HasSubstr(first), HasSubstr(second),
                                  HasSubstr("\"denied\": true"),
                                  HasSubstr("\"current\": true")));
  Says("allow", {second});
  EXPECT_EQ(Live(), second);
}

TEST_F(AdminTest, AShadowIsTriedAndPromoted) {
  const std::string first = running_.Serve({.prefix = "a"});
  Says("pin", {first});
  const std::string second = running_.Publish({.prefix = "b"});
  EXPECT_THAT(Says("shadow", {second}),
              AllOf(HasSubstr("\"live_version\": \"" + first + "\""),
                    HasSubstr("\"version\": \"" + second + "\""),
                    HasSubstr("\"share\": 0.05")));
  EXPECT_THAT(Says("shadow", {second, "0.5"}), HasSubstr("\"share\": 0.5"));
  EXPECT_THAT(Says("list"), HasSubstr("\"shadow\": true"));
  EXPECT_THAT(
      Says("promote"),
      AllOf(HasSubstr("\"live_version\": \"" + second + "\""),
            HasSubstr("\"held_version\": \"" + first + "\""),
            Not(HasSubstr("pinned_version")), Not(HasSubstr("\"shadow\""))));
  EXPECT_EQ(Live(), second);
}

TEST_F(AdminTest, AVersionIsLoadedWithoutCopiesAndDiscarded) {
  const std::string first = running_.Serve({.prefix = "a"});
  Says("pin", {first});
  const std::string second = running_.Publish({.prefix = "b"});
  EXPECT_THAT(Says("shadow", {second, "0"}),
              AllOf(HasSubstr("\"version\": \"" + second + "\""),
                    Not(HasSubstr("\"share\""))));
  EXPECT_THAT(Says("discard"), Not(HasSubstr("\"shadow\"")));
  EXPECT_EQ(Live(), first);
  EXPECT_THAT(Send("discard"), StatusIs(absl::StatusCode::kFailedPrecondition,
                                        HasSubstr("no shadow")));
  EXPECT_THAT(Send("promote"), StatusIs(absl::StatusCode::kFailedPrecondition,
                                        HasSubstr("no shadow")));
}

TEST_F(AdminTest, AShareIsOneOfTheQueries) {
  const std::string version = running_.Serve();
  EXPECT_THAT(
      Send("shadow", {version, "1.5"}),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("share is 1.5")));
  EXPECT_THAT(
      Send("shadow", {version, "nan"}),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("share is nan")));
  EXPECT_THAT(
      Send("shadow", {version, "half"}),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"half\"")));
  EXPECT_THAT(Send("shadow"), StatusIs(absl::StatusCode::kInvalidArgument,
                                       HasSubstr("takes a version")));
}

TEST_F(AdminTest, AnErrorSaysWhy) {
  const std::string version = running_.Serve();
  EXPECT_THAT(Send("pin", {"20260131T235959Z-0123456789ab"}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("0123456789ab")));
  EXPECT_THAT(Send("pin", {"../x"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("../x")));
  EXPECT_THAT(Send("rollback"), StatusIs(absl::StatusCode::kFailedPrecondition,
                                         HasSubstr("no version before")));
  EXPECT_EQ(Live(), version);
}

TEST_F(AdminTest, TheLogIsMadeQuieter) {
  EXPECT_THAT(Says("log-level", {"warning"}),
              HasSubstr("\"log_level\": \"WARNING\""));
  EXPECT_EQ(LeastLogLevel(), LogLevel::kWarning);
  EXPECT_THAT(Send("log-level", {"loud"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("loud")));
}

TEST_F(AdminTest, CommandsAreCheckedBeforeTheyAreSent) {
  EXPECT_THAT(Send("pin"), StatusIs(absl::StatusCode::kInvalidArgument,
                                    HasSubstr("one argument")));
  EXPECT_THAT(
      Send("status", {"x"}),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no argument")));
  EXPECT_THAT(Send("reboot"), StatusIs(absl::StatusCode::kInvalidArgument,
                                       HasSubstr("rollback")));
}

TEST_F(AdminTest, WhereNobodyListensItIsUnavailable) {
  const std::string address = running_.server().admin_address();
  running_.DestroyServer();
  EXPECT_THAT(SendAdminCommand({.address = address}, "status", {},
                               std::chrono::seconds(60)),
              StatusIs(absl::StatusCode::kUnavailable, _));
}

TEST(AdminOffTest, WithoutAnAddressThereIsNone) {
  RunningServer running("admin_address: ''");
  EXPECT_EQ(running.server().admin_address(), "");
}

}  // namespace
}  // namespace segue
