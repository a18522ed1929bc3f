// Test 17: a storm of cancellations, of calls that wait and of calls that run.
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/faults/injection.h"
#include "tests/faults/pending_call.h"
#include "tests/testing/scale.h"

namespace segue::testing {
namespace {

using ::testing::AnyOf;

constexpr int kWorkers = 2;
constexpr char kQueued[] = "segue_queue_length";
constexpr char kDecoded[] =
    "segue_request_duration_seconds_count{stage=\"decode\"}";

class CancellationTest : public ::testing::Test {
 protected:
  CancellationTest()
      : server_(
            "worker_threads: 2 max_batch: 1 max_queued_requests: 256 "
            "live_overlap_share: 0") {
    server_.Serve(WithInjection());
  }

  // Nothing waits, calls are answered, and at the end every call that came was
  // ended once: none is left behind, as a leak checker would see as well.
  void ExpectNoneIsLeft() {
    EXPECT_TRUE(AwaitMetric(server_, kQueued, 0));
    EXPECT_FALSE(AnsweringVersion(server_).empty());
    server_.server().Drain();
    EXPECT_EQ(EndedCalls(server_), server_.Metric(kDecoded));
  }

  // Calls the server on the connection of all others, which it reads in their
  // order: it has read their cancellations then. Needs no worker. Often, so
  // that gRPC's threads come to tell the calls of it.
  void PassCancellations() {
    for (int i = 0; i < 100; ++i) {
      const PendingCall invalid(server_, "top_k: -1");
      ASSERT_EQ(invalid.Wait().error_code(), grpc::INVALID_ARGUMENT);
    }
  }

  RunningServer server_;
  std::mt19937 random_{17};
};

TEST_F(CancellationTest, WhatIsCancelledInTheQueueDoesNoWork) {
  constexpr int kCalls = 125;
  const int rounds = AtScale(2, 80);
  int64_t cancelled = 0, embedded = 0;
  for (int round = 0; round < rounds && !HasFailure(); ++round) {
    HeldPasses held;
    const PendingCall first(server_), second(server_);
    ASSERT_TRUE(held.Await(kWorkers));
    const int64_t before = PassesBegun();
    std::vector<std::unique_ptr<PendingCall>> queued;
    for (int i = 0; i < kCalls; ++i) {
      queued.push_back(std::make_unique<PendingCall>(server_));
    }
    ASSERT_TRUE(AwaitMetric(server_, kQueued, kCalls));
    std::shuffle(queued.begin(), queued.end(), random_);
    const int gone = 1 + static_cast<int>(random_() % kCalls);
    for (int i = 0; i < gone; ++i) queued[i]->Cancel();
    for (int i = 0; i < gone; ++i) {
      EXPECT_EQ(queued[i]->Wait().error_code(), grpc::CANCELLED);
    }
    PassCancellations();
    held.Release();
    for (int i = gone; i < kCalls; ++i) {
      EXPECT_TRUE(queued[i]->Wait().ok()) << queued[i]->Wait().error_message();
    }
    ASSERT_TRUE(AwaitMetric(server_, kQueued, 0));
    cancelled += gone;
    embedded += PassesBegun() - before - (kCalls - gone);
  }
  // That a job knows of its cancellation is a matter of gRPC's threads, some
  // microseconds after it was read: QueryExecutorTest has it exactly.
  EXPECT_LE(embedded, cancelled / 10);
  LeaveFigure(17, "cancelled in the queue: embedded",
              absl::StrCat(embedded, " of ", cancelled), "none");
  ExpectNoneIsLeft();
}

TEST_F(CancellationTest, AtRandomMomentsNoCallIsLeft) {
  const int calls = AtScale(250, 10000);
  const ServiceTime service(std::chrono::microseconds(200));
  std::deque<std::unique_ptr<PendingCall>> running;
  std::set<int> codes;
  int cancelled = 0;
  const auto end_one = [&](size_t at) {
    codes.insert(running[at]->Wait().error_code());
    cancelled += running[at]->Wait().error_code() == grpc::CANCELLED;
    running.erase(running.begin() + static_cast<std::ptrdiff_t>(at));
  };
  for (int i = 0; i < calls; ++i) {
    running.push_back(std::make_unique<PendingCall>(server_));
    // Any of those that run, old or just begun.
    const size_t at = random_() % running.size();
    running[at]->Cancel();
    if (running.size() > 1 + random_() % 64) end_one(at);
  }
  while (!running.empty()) end_one(0);
  for (const int code : codes) {
    EXPECT_THAT(code,
                AnyOf(grpc::OK, grpc::CANCELLED, grpc::RESOURCE_EXHAUSTED));
  }
  EXPECT_GT(cancelled, 0);
  ExpectNoneIsLeft();
  LeaveFigure(17, "cancelled at random moments, each call ended once",
              absl::StrCat(cancelled, " of ", calls, " calls cancelled"),
              "no leak");
}

}  // namespace
}  // namespace segue::testing
