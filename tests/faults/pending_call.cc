#include "tests/faults/pending_call.h"

#include <memory>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "tests/server/metric_values.h"
#include "tests/server/text_message.h"

namespace segue::testing {

PendingCall::PendingCall(const RunningServer& server, const std::string& text,
                         std::chrono::milliseconds timeout)
    : request_(FromText<v1::RetrieveRequest>(text)) {
  context_.set_deadline(std::chrono::system_clock::now() + timeout);
  auto ended = std::make_shared<std::promise<grpc::Status>>();
  ended_ = ended->get_future().share();
  server.stub().async()->Retrieve(
      &context_, &request_, &response_,
      [ended](grpc::Status status) { ended->set_value(std::move(status)); });
}

PendingCall::~PendingCall() {
  Cancel();
  ended_.wait();
}

bool PendingCall::has_ended() const {
  return ended_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

std::string AnsweringVersion(const RunningServer& server) {
  const PendingCall call(server, "top_k: 1");
  EXPECT_TRUE(call.Wait().ok()) << call.Wait().error_message();
  return call.response().bundle_version();
}

bool Await(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

bool AwaitMetric(RunningServer& server, const std::string& series,
                 double value) {
  return Await([&] { return server.Metric(series) == value; });
}

double EndedCalls(RunningServer& server) {
  double ended = 0;
  for (const auto& [series, value] :
       MetricValues(server.server().metrics().Text())) {
    if (absl::StartsWith(series, "segue_requests_total{") &&
        absl::StrContains(series, "method=\"Retrieve\"")) {
      ended += value;
    }
  }
  return ended;
}

}  // namespace segue::testing
