// Test 15: five times as many calls as the server can answer, by a service time
// that is injected.
#include <chrono>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/faults/injection.h"
#include "tests/faults/offered_load.h"
#include "tests/testing/scale.h"

namespace segue::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::IsSupersetOf;

constexpr int kWorkers = 2;

// How long clients would wait, and how many may: who refuses is the bound of
// the queue, or the deadline that would pass in it.
struct Patience {
  const char* name;
  milliseconds timeout;
  int max_queued;
  int max_batch = 1;
  // Whose turn comes as the deadline passes is told by that.
  bool may_be_late = false;
};

void PrintTo(const Patience& patience, std::ostream* out) {
  *out << patience.name;
}

class OverloadTest : public ::testing::TestWithParam<Patience> {};

// From the last call of the overload to the first one afterwards from which on
// all were answered; that one's own time included.
double RecoveryMs(const std::vector<Ended>& overload,
                  const std::vector<Ended>& calm) {
  auto first = calm.rbegin();
  for (auto call = calm.rbegin(); call != calm.rend() && call->code == grpc::OK;
       ++call) {
    first = call;
  }
  return std::chrono::duration<double, std::milli>(first->began + first->took -
                                                   overload.back().began)
      .count();
}

TEST_P(OverloadTest, WhatFitsIsAnsweredAndTheRestIsToldAtOnce) {
  const auto each = AtScale(milliseconds(20), milliseconds(5));
  const double capacity = kWorkers * 1000.0 / static_cast<double>(each.count());
  const Patience& patience = GetParam();
  // Of a pass, however many queries it has: of each in a full one.
  const ServiceTime service(each * patience.max_batch);
  RunningServer server(absl::StrCat(
      "worker_threads: ", kWorkers,
      " live_overlap_share: 0 max_queued_requests: ", patience.max_queued,
      " max_batch: ", patience.max_batch));
  server.Serve(WithInjection());

  OfferedLoad load = {.calls_per_second = capacity,
                      .time = AtScale(milliseconds(1000), milliseconds(10000)),
                      .timeout = patience.timeout};
  const double peak = Goodput(Offer(server, load));
  load.calls_per_second = 5 * capacity;
  const std::vector<Ended> overload = Offer(server, load);
  load.calls_per_second = capacity / 2;
  const std::vector<Ended> calm = Offer(server, load);

  std::vector<int> codes = {grpc::OK, grpc::RESOURCE_EXHAUSTED};
  if (patience.may_be_late) codes.push_back(grpc::DEADLINE_EXCEEDED);
  EXPECT_THAT(codes, IsSupersetOf(CodesOf(overload)));
  EXPECT_GE(Goodput(overload), peak / 2);
  EXPECT_EQ(calm.back().code, grpc::OK) << calm.back().fault;
  const auto refused = WithCode(overload, grpc::RESOURCE_EXHAUSTED);
  const auto late = WithCode(overload, grpc::DEADLINE_EXCEEDED);
  EXPECT_FALSE(refused.empty());
  const std::string with = absl::StrCat(" (", patience.name, ")");
  LeaveFigure(15, "overload 5x: goodput of peak" + with,
              absl::StrFormat("%.0f %% of %.0f calls/s",
                              100 * Goodput(overload) / peak, peak),
              "90 %");
  LeaveFigure(
      15, "the rest: RESOURCE_EXHAUSTED, p99" + with,
      absl::StrFormat("%d, %.1f ms; %d DEADLINE_EXCEEDED", refused.size(),
                      QuantileMs(refused, .99), late.size()),
      "all, 5 ms");
  LeaveFigure(15, "until all calls are answered again" + with,
              absl::StrFormat("%.0f ms", RecoveryMs(overload, calm)), "2 s");
}

INSTANTIATE_TEST_SUITE_P(
    Table, OverloadTest,
    ::testing::Values(
        Patience{.name = "queue", .timeout = seconds(10), .max_queued = 16},
        Patience{.name = "deadlines",
                 .timeout = milliseconds(250),
                 .max_queued = 256,
                 .may_be_late = true},
        Patience{.name = "deadlines, in groups",
                 .timeout = milliseconds(500),
                 .max_queued = 256,
                 .max_batch = 4,
                 .may_be_late = true}),
    [](const auto& info) {
      return absl::StrReplaceAll(info.param.name, {{", ", "_"}, {" ", "_"}});
    });

}  // namespace
}  // namespace segue::testing
