// Test 16: deadlines so near that most of them pass.
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/log.h"
#include "tests/faults/injection.h"
#include "tests/faults/offered_load.h"
#include "tests/faults/pending_call.h"
#include "tests/testing/scale.h"

namespace segue::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::IsSupersetOf;

constexpr char kOk[] = "segue_requests_total{code=\"OK\",method=\"Retrieve\"}";
constexpr char kEmbedded[] = "segue_embed_batch_queries_sum";
constexpr char kQueued[] = "segue_queue_length";

// Every deadline of calls that reached the server before now, and that had
// `timeout`, has passed: gRPC sends timeouts in whole milliseconds, rounded up.
void LetPass(milliseconds timeout) {
  std::this_thread::sleep_until(std::chrono::steady_clock::now() + timeout +
                                milliseconds(10));
}

class DeadlineTest : public ::testing::Test {
 protected:
  DeadlineTest()
      : server_("worker_threads: 2 max_batch: 1 live_overlap_share: 0") {
    server_.Serve(WithInjection());
  }

  RunningServer server_;
};

TEST_F(DeadlineTest, WhatExpiredInTheQueueDoesNoWork) {
  constexpr int kWorkers = 2;
  const int calls = AtScale(50, 200);
  const milliseconds timeout(200);
  HeldPasses held;
  const PendingCall first(server_), second(server_);
  ASSERT_TRUE(held.Await(kWorkers));
  const double embedded = server_.Metric(kEmbedded);
  const int64_t passes = PassesBegun();
  std::vector<std::unique_ptr<PendingCall>> queued;
  for (int i = 0; i < calls; ++i) {
    queued.push_back(std::make_unique<PendingCall>(server_, "", timeout));
  }
  ASSERT_TRUE(AwaitMetric(server_, kQueued, calls));
  LetPass(timeout);
  for (const auto& call : queued) {
    EXPECT_EQ(call->Wait().error_code(), grpc::DEADLINE_EXCEEDED);
  }

  held.Release();
  EXPECT_TRUE(first.Wait().ok());
  EXPECT_TRUE(second.Wait().ok());
  ASSERT_TRUE(AwaitMetric(server_, kQueued, 0));
  EXPECT_FALSE(AnsweringVersion(server_).empty());
  // Those that were held, and the call just now.
  EXPECT_EQ(server_.Metric(kEmbedded), embedded + kWorkers + 1);
  EXPECT_EQ(PassesBegun(), passes + 1);
  LeaveFigure(16, "expired in the queue: embedded",
              absl::StrCat(PassesBegun() - passes - 1, " of ", calls), "none");
}

TEST_F(DeadlineTest, WhatIsReadyTooLateIsNotSentAsOk) {
  const milliseconds timeout(100);
  HeldPasses held;
  const double ok = server_.Metric(kOk), ended = EndedCalls(server_);
  const PendingCall call(server_, "", timeout);
  ASSERT_TRUE(held.Await(1));
  LetPass(timeout);
  held.Release();
  EXPECT_EQ(call.Wait().error_code(), grpc::DEADLINE_EXCEEDED);
  ASSERT_TRUE(Await([&] { return EndedCalls(server_) == ended + 1; }));
  EXPECT_EQ(server_.Metric(kOk), ok);
}

// By how much calls of Offer() that the log has as OK took longer than
// `timeout`.
std::vector<double> LateOks(const std::string& log, milliseconds timeout) {
  constexpr absl::string_view kTook = "\"took_ms\":";
  // gRPC counts in whole milliseconds and rounds up, at either end.
  const double most_ms = static_cast<double>(timeout.count()) + 2;
  std::vector<double> late;
  for (const absl::string_view line : absl::StrSplit(log, '\n')) {
    const size_t at = line.find(kTook);
    double took_ms = 0;
    if (at == absl::string_view::npos ||
        !absl::StrContains(line, "\"code\":\"OK\"") ||
        !absl::StrContains(line, "\"top_k\":5") ||
        !absl::SimpleAtod(line.substr(at + kTook.size(),
                                      line.find(',', at) - at - kTook.size()),
                          &took_ms)) {
      continue;
    }
    if (took_ms > most_ms) late.push_back(took_ms - most_ms);
  }
  return late;
}

TEST(DeadlineLoadTest, OneToFiveMillisecondsUnderLoad) {
  // A capacity of 1,000 calls a second, at most.
  const ServiceTime service(milliseconds(2));
  RunningServer server(
      "worker_threads: 2 max_batch: 1 live_overlap_share: 0 "
      "log_request_share: 1 http_address: ''");
  server.Serve(WithInjection());
  size_t ok = 0, all = 0;
  std::vector<double> late;
  for (int ms = 1; ms <= 5; ++ms) {
    const milliseconds timeout(ms);
    SetLogFormat(LogFormat::kJson);
    ::testing::internal::CaptureStderr();
    const auto calls =
        Offer(server, {.calls_per_second = AtScale(1000.0, 2000.0),
                       .time = AtScale(milliseconds(400), milliseconds(10000)),
                       .timeout = timeout});
    // In the order of the queue: all that came before has ended.
    AnsweringVersion(server);
    const std::string log = ::testing::internal::GetCapturedStderr();
    SetLogFormat(DefaultLogFormat());
    EXPECT_THAT((std::vector<int>{grpc::OK, grpc::DEADLINE_EXCEEDED,
                                  grpc::RESOURCE_EXHAUSTED}),
                IsSupersetOf(CodesOf(calls)));
    all += calls.size();
    ok += WithCode(calls, grpc::OK).size();
    const auto found = LateOks(log, timeout);
    late.insert(late.end(), found.begin(), found.end());
  }
  LeaveFigure(
      16, "deadlines of 1 to 5 ms under load: sent as OK after the deadline",
      late.empty() ? absl::StrFormat("none (%d OK of %d)", ok, all)
                   : absl::StrFormat(
                         "%d, by %.1f ms at most (%d OK of %d)", late.size(),
                         *std::max_element(late.begin(), late.end()), ok, all),
      "none");
  EXPECT_FALSE(AnsweringVersion(server).empty());
}

}  // namespace
}  // namespace segue::testing
