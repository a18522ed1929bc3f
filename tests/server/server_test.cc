// The life of a server: starting, health, draining.
#include "server/server.h"

#include <httplib.h>

#include <memory>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/log.h"
#include "server/net/address.h"
#include "tests/server/running_server.h"
#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using segue::testing::CheckHealth;
using segue::testing::Connect;
using segue::testing::HealthRequest;
using segue::testing::Http;
using segue::testing::IsOk;
using segue::testing::kNotServing;
using segue::testing::kRetrieveMethod;
using segue::testing::kServing;
using segue::testing::LoopbackConfig;
using segue::testing::RawCall;
using segue::testing::RunningServer;
using segue::testing::StatusIs;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using Stub = v1::RetrievalService::Stub;

constexpr char kService[] = "segue.v1.RetrievalService";

TEST(ServerTest, BindsFreePortsAndTellsThem) {
  RunningServer running;
  const auto grpc = ParseAddress(running.server().grpc_address());
  const auto http = ParseAddress(running.server().http_address());
  ASSERT_THAT(grpc, IsOk());
  ASSERT_THAT(http, IsOk());
  EXPECT_EQ(grpc->host, "127.0.0.1");
  EXPECT_GT(grpc->port, 0);
  EXPECT_GT(http->port, 0);
}

TEST(ServerTest, ABadConfigurationIsInvalid) {
  v1::ServerConfig config = LoopbackConfig("");
  EXPECT_THAT(
      Server::Create(config),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("bundle_root")));
}

TEST(ServerTest, AGrpcPortInUseIsUnavailableAndNamed) {
  RunningServer running;
  v1::ServerConfig config = LoopbackConfig("none");
  config.set_listen_address(running.server().grpc_address());
  EXPECT_THAT(Server::Create(config),
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr(config.listen_address()),
                             HasSubstr("listen_address"))));
}

TEST(ServerTest, AnHttpPortInUseIsUnavailableAndNamed) {
  RunningServer running;
  v1::ServerConfig config = LoopbackConfig("none");
  config.set_http_address(running.server().http_address());
  EXPECT_THAT(Server::Create(config),
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr(config.http_address()),
                             HasSubstr("http_address"))));
}

TEST(ServerTest, WithoutAnHttpAddressThereIsNoHttp) {
  RunningServer running("http_address: ''");
  EXPECT_EQ(running.server().http_address(), "");
  running.Serve();
  v1::RetrieveResponse answer;
  EXPECT_TRUE(running.Call(&Stub::Retrieve, "top_k: 1", answer).ok());
}

TEST(ServerTest, BeforeTheFirstBundleItIsNotServing) {
  RunningServer running;
  EXPECT_EQ(CheckHealth(running.channel(), ""), kNotServing);
  EXPECT_EQ(CheckHealth(running.channel(), kService), kNotServing);
  const auto health = Http(running.server()).Get("/healthz");
  ASSERT_TRUE(health);
  EXPECT_EQ(health->status, 503);
  EXPECT_THAT(health->body, HasSubstr("no bundle is loaded yet"));
  v1::RetrieveResponse answer;
  EXPECT_EQ(running.Call(&Stub::Retrieve, "", answer).error_code(),
            grpc::UNAVAILABLE);
  v1::DescribeItemsResponse described;
  EXPECT_EQ(running.Call(&Stub::DescribeItems, "", described).error_code(),
            grpc::UNAVAILABLE);
}

TEST(ServerTest, HealthTellsWhyThereIsNoBundle) {
  RunningServer running;
  EXPECT_EQ(running.server().manager().Step(),
            BundleManager::StepResult::kFailed);
  const auto health = Http(running.server()).Get("/healthz");
  ASSERT_TRUE(health);
  EXPECT_THAT(health->body, HasSubstr("CURRENT"));
}

TEST(ServerTest, AfterTheFirstBundleItIsServing) {
  RunningServer running;
  running.Serve();
  EXPECT_EQ(CheckHealth(running.channel(), ""), kServing);
  EXPECT_EQ(CheckHealth(running.channel(), kService), kServing);
  const auto health = Http(running.server()).Get("/healthz");
  ASSERT_TRUE(health);
  EXPECT_EQ(health->status, 200);
}

TEST(ServerTest, ABadBundleAfterAGoodOneStaysServing) {
  RunningServer running;
  running.Serve();
  running.Publish({.prefix = "bad", .edit_content = [](v1::Content& content) {
                     content.set_metric("l2");
                   }});
  EXPECT_EQ(running.server().manager().Step(),
            BundleManager::StepResult::kFailed);
  EXPECT_EQ(CheckHealth(running.channel(), kService), kServing);
  EXPECT_EQ(Http(running.server()).Get("/healthz")->status, 200);
}

TEST(ServerTest, MetricsAreServedOverHttp) {
  RunningServer running;
  const std::string version = running.Serve();
  const auto metrics = Http(running.server()).Get("/metrics");
  ASSERT_TRUE(metrics);
  EXPECT_EQ(testing::MetricValue(metrics->body, "segue_bundle_info{version=\"" +
                                                    version + "\"}"),
            1);
}

// What is logged of one call with an id, where all are.
std::string LoggedOf(RunningServer& running, const std::string& request) {
  grpc::ClientContext context;
  context.AddMetadata("x-request-id", "r-17");
  v1::RetrieveResponse answer;
  SetLogFormat(LogFormat::kJson);
  ::testing::internal::CaptureStderr();
  // A line is written before its call is answered.
  (void)running.stub().Retrieve(
      &context, testing::FromText<v1::RetrieveRequest>(request), &answer);
  std::string logged = ::testing::internal::GetCapturedStderr();
  SetLogFormat(DefaultLogFormat());
  return logged;
}

TEST(ServerTest, ACallIsFoundInTheLogByItsIdAndItsUserIsNot) {
  RunningServer running("log_request_share: 1");
  const std::string version = running.Serve();
  EXPECT_THAT(
      LoggedOf(running,
               "user_id: 'u1' history: ['i3', 'i4'] seed_item: 'i5' top_k: 4 "
               "exclude_item_ids: 'i6' filter { items { item_ids: ['i7'] } }"),
      AllOf(HasSubstr("\"message\":\"call finished\",\"method\":\"Retrieve\","
                      "\"code\":\"OK\",\"took_ms\":"),
            HasSubstr("\"request_id\":\"r-17\",\"bundle_version\":\"" +
                      version + "\",\"queries\":1,\"top_k\":4}\n"),
            Not(HasSubstr("u1")), Not(ContainsRegex("i[0-9]"))));
}

TEST(ServerTest, OfARefusedCallTheLogHasTheCodeAndNotTheValue) {
  RunningServer running("log_request_share: 1 max_id_bytes: 8");
  running.Serve();
  EXPECT_THAT(
      LoggedOf(running, "history: 'too-long-to-be-one'"),
      AllOf(HasSubstr("\"code\":\"INVALID_ARGUMENT\""),
            HasSubstr("\"request_id\":\"r-17\""), Not(HasSubstr("too-l"))));
}

TEST(ServerTest, WithoutAShareNoCallIsLogged) {
  RunningServer running("log_request_share: 0");
  running.Serve();
  EXPECT_EQ(LoggedOf(running, "top_k: 1"), "");
}

TEST(ServerTest, ReflectionListsTheService) {
  RunningServer running;
  RawCall call(running.channel(),
               "/grpc.reflection.v1alpha.ServerReflection/"
               "ServerReflectionInfo");
  // Field 7, list_services: "*".
  ASSERT_TRUE(call.Write("\x3a\x01*", /*last=*/true));
  const auto listed = call.Read();
  ASSERT_TRUE(listed.has_value());
  EXPECT_THAT(*listed,
              AllOf(HasSubstr(kService), HasSubstr("grpc.health.v1.Health")));
}

TEST(ServerTest, AServerThatPollsServesWhatIsThere) {
  const testing::TempFolder root;
  ASSERT_THAT(testing::PublishTinyBundle(root.path(), {}), IsOk());
  const auto server = Server::Create(LoopbackConfig(root.path()));
  ASSERT_THAT(server, IsOk());
  const auto channel = Connect((*server)->grpc_address());
  RawCall watch(channel, "/grpc.health.v1.Health/Watch");
  ASSERT_TRUE(watch.Write(HealthRequest(kService), /*last=*/true));
  auto health = watch.Read();
  while (health.has_value() && *health != kServing) health = watch.Read();
  EXPECT_EQ(health, kServing);
}

// A call whose answer, a few very long ids, is larger than what a stream
// receives ahead of its reader: it stays in flight until it is read.
class DrainTest : public ::testing::Test {
 protected:
  void Start(const std::string& config) {
    running_ = std::make_unique<RunningServer>(config);
    running_->Serve({.items = kItems, .prefix = std::string(60000, 'x')});
    in_flight_ =
        std::make_unique<RawCall>(running_->channel(), kRetrieveMethod);
    ASSERT_TRUE(in_flight_->Write("", /*last=*/true));
    ASSERT_TRUE(in_flight_->ReadHeaders());
  }

  static constexpr int kItems = 8;

  // Returns once the server has told its clients to leave.
  void AwaitGoodbye() {
    auto& channel = *running_->channel();
    while (channel.GetState(/*try_to_connect=*/false) == GRPC_CHANNEL_READY) {
      ASSERT_TRUE(channel.WaitForStateChange(
          GRPC_CHANNEL_READY,
          std::chrono::system_clock::now() + std::chrono::minutes(1)));
    }
  }

  std::unique_ptr<RunningServer> running_;
  std::unique_ptr<RawCall> in_flight_;
};

TEST_F(DrainTest, RequestsInFlightFinish) {
  Start("drain_timeout_ms: 60000");
  std::thread drain([this] { running_->server().Drain(); });
  AwaitGoodbye();
  const auto answer = in_flight_->Read();
  EXPECT_TRUE(in_flight_->Finish().ok());
  drain.join();
  ASSERT_TRUE(answer.has_value());
  v1::RetrieveResponse response;
  ASSERT_TRUE(response.ParseFromString(*answer));
  EXPECT_EQ(response.item_ids_size(), kItems);
}

TEST_F(DrainTest, WhatDoesNotFinishInTimeIsCancelled) {
  Start("drain_timeout_ms: 1");
  running_->server().Drain();
  EXPECT_FALSE(in_flight_->Read().has_value());
  EXPECT_FALSE(in_flight_->Finish().ok());
}

TEST_F(DrainTest, HealthTurnsFirstWhileRequestsStillFinish) {
  Start("drain_timeout_ms: 60000");
  const auto http = ParseAddress(running_->server().http_address());
  RawCall watch(running_->channel(), "/grpc.health.v1.Health/Watch");
  ASSERT_TRUE(watch.Write(HealthRequest(kService), /*last=*/true));
  ASSERT_EQ(watch.Read(), kServing);
  std::thread drain([this] { running_->server().Drain(); });
  EXPECT_EQ(watch.Read(), kNotServing);
  const auto health = httplib::Client(http->host, http->port).Get("/healthz");
  watch.Cancel();
  EXPECT_TRUE(in_flight_->Read().has_value());
  EXPECT_TRUE(in_flight_->Finish().ok());
  drain.join();
  ASSERT_TRUE(health);
  EXPECT_EQ(health->status, 503);
  EXPECT_EQ(health->body, "draining\n");
}

TEST(ServerTest, AfterDrainingItRefusesAndHttpStillShowsTheCounters) {
  RunningServer running;
  running.Serve();
  v1::RetrieveResponse answer;
  ASSERT_TRUE(running.Call(&Stub::Retrieve, "", answer).ok());
  running.server().Drain();
  running.server().Drain();
  EXPECT_EQ(running.Call(&Stub::Retrieve, "", answer).error_code(),
            grpc::UNAVAILABLE);
  const auto metrics = Http(running.server()).Get("/metrics");
  ASSERT_TRUE(metrics);
  EXPECT_EQ(testing::MetricValue(
                metrics->body,
                "segue_requests_total{code=\"OK\",method=\"Retrieve\"}"),
            1);
}

TEST(ServerTest, ABundleAfterDrainingDoesNotTurnHealthBack) {
  RunningServer running;
  running.server().Drain();
  running.Serve();
  const auto health = Http(running.server()).Get("/healthz");
  ASSERT_TRUE(health);
  EXPECT_EQ(health->status, 503);
}

TEST(ServerTest, TheEndFreesBothPorts) {
  RunningServer running;
  v1::ServerConfig config = LoopbackConfig("none");
  config.set_listen_address(running.server().grpc_address());
  config.set_http_address(running.server().http_address());
  running.DestroyServer();
  EXPECT_THAT(Server::Create(config, {.poll = false}), IsOk());
}

}  // namespace
}  // namespace segue
