#include "server/net/http_endpoint.h"

#include <httplib.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using segue::testing::IsOk;
using segue::testing::StatusIs;
using ::testing::HasSubstr;

constexpr char kHost[] = "127.0.0.1";

class HttpEndpointTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto endpoint = HttpEndpoint::Create(
        {kHost, 0},
        {.metrics = [this] { return "reads " + std::to_string(++reads_); },
         .health = [this] { return health_; }});
    ASSERT_THAT(endpoint, IsOk());
    endpoint_ = *std::move(endpoint);
  }

  httplib::Client Client() const {
    return httplib::Client(kHost, endpoint_->address().port);
  }

  std::atomic<int> reads_ = 0;
  absl::Status health_;
  std::unique_ptr<HttpEndpoint> endpoint_;
};

TEST_F(HttpEndpointTest, BindsAFreePortAndTellsIt) {
  EXPECT_EQ(endpoint_->address().host, kHost);
  EXPECT_GT(endpoint_->address().port, 0);
}

TEST_F(HttpEndpointTest, MetricsAreReadAtEachRequest) {
  auto client = Client();
  const auto first = client.Get("/metrics");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->status, 200);
  EXPECT_EQ(first->body, "reads 1");
  EXPECT_EQ(first->get_header_value("Content-Type"),
            "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(client.Get("/metrics")->body, "reads 2");
}

TEST_F(HttpEndpointTest, HealthIs200OkWhenThereIsNothingToTell) {
  const auto answer = Client().Get("/healthz");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "ok\n");
}

TEST_F(HttpEndpointTest, HealthIs503WithTheReason) {
  health_ = absl::UnavailableError("no bundle is loaded yet");
  const auto answer = Client().Get("/healthz");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(answer->body, "no bundle is loaded yet\n");
}

TEST_F(HttpEndpointTest, EverythingElseIs404) {
  auto client = Client();
  for (const char* path :
       {"/", "/metric", "/metrics/", "/metrics2", "/x", "/healthz/../x"}) {
    const auto answer = client.Get(path);
    ASSERT_TRUE(answer) << path;
    EXPECT_EQ(answer->status, 404) << path;
  }
  const auto posted = client.Post("/metrics", "x", "text/plain");
  ASSERT_TRUE(posted);
  EXPECT_EQ(posted->status, 404);
  EXPECT_EQ(reads_, 0);
}

TEST_F(HttpEndpointTest, APortInUseIsUnavailableAndNamed) {
  const Address taken = endpoint_->address();
  EXPECT_THAT(HttpEndpoint::Create(taken, {}),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr(FormatAddress(taken))));
}

TEST_F(HttpEndpointTest, AHostThatIsNotOursIsUnavailable) {
  // Kept for documentation (RFC 5737): no interface has it.
  EXPECT_THAT(HttpEndpoint::Create({"192.0.2.1", 0}, {}),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("192.0.2.1")));
}

TEST_F(HttpEndpointTest, TheEndFreesThePort) {
  const Address address = endpoint_->address();
  endpoint_.reset();
  EXPECT_FALSE(httplib::Client(kHost, address.port).Get("/healthz"));
  EXPECT_THAT(HttpEndpoint::Create(address, {}), IsOk());
}

TEST_F(HttpEndpointTest, SeveralClientsAreServed) {
  constexpr int kClients = 4, kRequests = 10;
  std::vector<std::thread> clients;
  std::atomic<int> good = 0;
  for (int c = 0; c < kClients; ++c) {
    clients.emplace_back([&] {
      for (int i = 0; i < kRequests; ++i) {
        const auto answer = Client().Get("/metrics");
        if (answer && answer->status == 200) ++good;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(good, kClients * kRequests);
  EXPECT_EQ(reads_, kClients * kRequests);
}

}  // namespace
}  // namespace segue
