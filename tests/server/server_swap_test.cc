// Bundles replaced, under load too.
#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/running_server.h"

namespace segue {
namespace {

using segue::testing::MetricValues;
using segue::testing::RunningServer;
using ::testing::IsEmpty;
using Stub = v1::RetrievalService::Stub;

constexpr int kItems = 12;
constexpr int kMostCalls = 20000;  // of one thread, if swaps are very slow

// Which ids a version answers with. Any thread.
class Prefixes {
 public:
  void Add(const std::string& version, const std::string& prefix) {
    MutexLock lock(mu_);
    of_[version] = prefix;
  }
  // "" for a version that was never published.
  std::string Of(const std::string& version) const {
    MutexLock lock(mu_);
    const auto found = of_.find(version);
    return found == of_.end() ? "" : found->second;
  }

 private:
  mutable Mutex mu_;
  std::map<std::string, std::string> of_ ABSL_GUARDED_BY(mu_);
};

// What is wrong with an answer to a request for all items; "" if nothing.
std::string FaultOf(const v1::RetrieveResponse& answer,
                    const Prefixes& prefixes) {
  const std::string prefix = prefixes.Of(answer.bundle_version());
  if (prefix.empty()) return "no such version: " + answer.bundle_version();
  std::set<std::string> distinct;
  for (const std::string& id : answer.item_ids()) {
    if (!absl::StartsWith(id, prefix)) {
      return absl::StrCat(id, " from ", answer.bundle_version());
    }
    distinct.insert(id);
  }
  if (distinct.size() != kItems) {
    return absl::StrCat(distinct.size(), " distinct items");
  }
  return answer.scores_size() == kItems ? "" : "scores are not parallel";
}

// Calls Retrieve and BatchRetrieve in turn until `stop`; each fault is a line.
std::vector<std::string> CallUntil(const std::atomic<bool>& stop,
                                   const RunningServer& server,
                                   const Prefixes& prefixes) {
  std::vector<std::string> faults;
  const auto check = [&](const v1::RetrieveResponse& answer) {
    const std::string fault = FaultOf(answer, prefixes);
    if (!fault.empty()) faults.push_back(fault);
  };
  for (int i = 0; i < kMostCalls && !stop; ++i) {
    grpc::Status status;
    if (i % 4 == 3) {
      v1::BatchRetrieveResponse batch;
      status = server.Call(&Stub::BatchRetrieve,
                           "requests { user_id: 'u0' } requests {}", batch);
      for (const auto& answer : batch.responses()) check(answer);
    } else {
      v1::RetrieveResponse answer;
      status = server.Call(&Stub::Retrieve, "user_id: 'u1'", answer);
      if (status.ok()) check(answer);
    }
    if (!status.ok()) faults.push_back(status.error_message());
  }
  return faults;
}

TEST(ServerSwapTest, UnderConcurrentCallsNoneFailsAndNoneMixesVersions) {
  constexpr int kThreads = 4, kSwaps = 6;
  RunningServer server("max_batch: 4");
  Prefixes prefixes;
  const auto swap_to = [&](const std::string& prefix) {
    std::string version = server.Publish({.items = kItems, .prefix = prefix});
    prefixes.Add(version, prefix);
    server.GoLive();
    return version;
  };
  swap_to("v0-");

  std::atomic<bool> stop = false;
  std::vector<std::vector<std::string>> faults(kThreads);
  std::vector<std::thread> clients;
  for (int t = 0; t < kThreads; ++t) {
    clients.emplace_back(
        [&, t] { faults[t] = CallUntil(stop, server, prefixes); });
  }
  for (int s = 1; s <= kSwaps; ++s) {
    const std::string version = swap_to(absl::StrCat("v", s, "-"));
    v1::RetrieveResponse answer;
    ASSERT_TRUE(server.Call(&Stub::Retrieve, "", answer).ok());
    EXPECT_EQ(answer.bundle_version(), version);
  }
  stop = true;
  for (std::thread& client : clients) client.join();
  for (const auto& found : faults) EXPECT_THAT(found, IsEmpty());

  double all = 0, good = 0;
  for (const auto& [series, value] :
       MetricValues(server.server().metrics().Text())) {
    if (!absl::StartsWith(series, "segue_requests_total")) continue;
    all += value;
    if (absl::StrContains(series, "\"OK\"")) good += value;
  }
  EXPECT_EQ(good, all);
  EXPECT_GT(good, kSwaps);
  EXPECT_EQ(server.Metric("segue_bundle_reloads_total{outcome=\"success\"}"),
            kSwaps + 1);
}

std::string LiveHitSeries(const char* what, const std::string& version) {
  return absl::StrCat("segue_live_", what, "_total{k=\"10\",version=\"",
                      version, "\"}");
}

TEST(ServerSwapTest, LiveHitsAreThoseOfTheVersionsInMemory) {
  RunningServer server("live_hit_user_share: 1");
  const std::string one = server.Serve({.prefix = "a"});
  v1::RetrieveResponse answer, after;
  ASSERT_TRUE(
      server.Call(&Stub::Retrieve, "user_id: 'u' history: 'a0'", answer).ok());
  const std::string two = server.Serve({.prefix = "b"});
  ASSERT_TRUE(server
                  .Call(&Stub::Retrieve,
                        absl::StrCat("user_id: 'u' history: ['a0', '",
                                     answer.item_ids(1), "']"),
                        after)
                  .ok());
  ASSERT_EQ(after.bundle_version(), two);
  for (const char* what : {"hit_labels", "hits"}) {
    EXPECT_EQ(server.Metric(LiveHitSeries(what, one)), 1) << what;
    EXPECT_EQ(server.Metric(LiveHitSeries(what, two)), 0) << what;
  }
  const std::string three = server.Serve({.prefix = "c"});
  const auto values = MetricValues(server.server().metrics().Text());
  EXPECT_EQ(values.count(LiveHitSeries("hit_labels", one)), 0u);
  EXPECT_EQ(values.count(LiveHitSeries("hit_labels", two)), 1u);
  EXPECT_EQ(values.count(LiveHitSeries("hit_labels", three)), 1u);
}

}  // namespace
}  // namespace segue
