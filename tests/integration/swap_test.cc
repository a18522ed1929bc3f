// A newer bundle goes live while clients call.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/segue_binaries.h"
#include "tests/testing/temp_folder.h"

namespace segue::testing {
namespace {

constexpr int kClients = 4;
// Calls of each client at most: an end, should the swap never come.
constexpr int kMostCalls = 200000;

// Scores of one version differ by rounding alone, with the number of requests
// that were embedded together; those of two models differ by far more.
constexpr float kRounding = 1e-4;

using Scores = std::vector<float>;

// What one client saw.
struct Seen {
  std::vector<std::string> failures;
  std::set<std::string> versions;
  // "version/request" -> scores: one version answers one question in one way.
  std::map<std::string, Scores> answers;
  std::vector<std::string> contradictions;
};

bool Agree(const Scores& a, const Scores& b) {
  return std::equal(
      a.begin(), a.end(), b.begin(), b.end(),
      [](float x, float y) { return std::abs(x - y) < kRounding; });
}

void CallUntil(RunningServer& server,
               const std::vector<v1::RetrieveRequest>& requests,
               const std::string& last_version, std::atomic<bool>& stop,
               Seen& seen) {
  int calls_after = 0;  // the swap
  for (int i = 0; i < kMostCalls && !stop && calls_after < 100; ++i) {
    const size_t which = i % requests.size();
    v1::RetrieveResponse response;
    const grpc::Status status = server.Retrieve(requests[which], response);
    if (!status.ok()) {
      seen.failures.push_back(status.error_message());
      continue;
    }
    const std::string& version = response.bundle_version();
    seen.versions.insert(version);
    if (version != last_version) ++calls_after;
    const Scores scores(response.scores().begin(), response.scores().end());
    const auto it =
        seen.answers.emplace(absl::StrCat(version, "/", which), scores).first;
    if (!Agree(it->second, scores)) seen.contradictions.push_back(it->first);
  }
}

TEST(SwapTest, UnderLoadNothingFailsAndEachAnswerIsOfOneVersion) {
  TempFolder folder;
  ASSERT_EQ(MakeData(folder.path()).code, 0);
  const Finished trained =
      RunTrainer(TrainArguments(folder.path(), "run"), folder.path());
  ASSERT_EQ(trained.code, 0) << trained.errors;
  const std::string root = folder / "bundles";
  auto server = RunningServer::Start(root, folder.path());
  ASSERT_NE(server, nullptr);
  std::vector<v1::RetrieveRequest> requests = SampleRequests(folder / "run");
  ASSERT_GT(requests.size(), 20);
  requests.resize(20);
  std::string first = ReadAll(root + "/CURRENT");
  first.pop_back();

  std::atomic<bool> stop = false;
  std::vector<Seen> seen(kClients);
  std::vector<std::thread> clients;
  for (Seen& each : seen) {
    clients.emplace_back([&] {
      CallUntil(*server, requests, /*last_version=*/first, stop, each);
    });
  }
  // Another seed: another model, so that a mixture would show.
  std::vector<std::string> arguments = TrainArguments(folder.path(), "second");
  arguments.insert(arguments.end(), {"--set", "seed=2"});
  const Finished again = RunTrainer(arguments, folder.path());
  if (again.code != 0) stop = true;
  for (std::thread& client : clients) client.join();
  ASSERT_EQ(again.code, 0) << again.errors;
  std::string second = ReadAll(root + "/CURRENT");
  second.pop_back();

  ASSERT_NE(first, second);
  for (const Seen& each : seen) {
    EXPECT_THAT(each.failures, ::testing::IsEmpty());
    EXPECT_THAT(each.contradictions, ::testing::IsEmpty());
    EXPECT_THAT(each.versions, ::testing::UnorderedElementsAre(first, second));
  }
  // All clients agree, too.
  std::map<std::string, Scores> answers;
  for (const Seen& each : seen) {
    for (const auto& [key, scores] : each.answers) {
      EXPECT_TRUE(Agree(answers.emplace(key, scores).first->second, scores))
          << key;
    }
  }
  // And the two versions do not, or the checks above would prove nothing.
  EXPECT_FALSE(Agree(answers.at(first + "/0"), answers.at(second + "/0")));
  EXPECT_THAT(server->Get("/metrics"),
              ::testing::HasSubstr(
                  "segue_bundle_reloads_total{outcome=\"success\"} 2"));
}

}  // namespace
}  // namespace segue::testing
