#include "server/quality/live_hits.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/server/metric_values.h"
#include "tests/server/text_message.h"

namespace segue {
namespace {

using segue::testing::FromText;
using segue::testing::MetricValues;
using std::chrono::seconds;

constexpr auto kTtl = std::chrono::minutes(30);
// Eleven items, x last.
constexpr char kElevenItems[] =
    "bundle_version: 'v' item_ids: "
    "['i0', 'i1', 'i2', 'i3', 'i4', 'i5', 'i6', 'i7', 'i8', 'i9', 'x']";

class LiveHitsTest : public ::testing::Test {
 protected:
  void Start(double share, int64_t answers = 100) {
    hits_ = std::make_unique<LiveHits>(
        LiveHits::Options{.share = share,
                          .ttl = kTtl,
                          .bytes = answers * LiveHits::kAnswerBytes,
                          .salt = 1},
        metrics_);
  }

  // The request comes at second `at` and is answered.
  void Ask(int at, const std::string& request, const std::string& response) {
    const auto asked = FromText<v1::RetrieveRequest>(request);
    hits_->Observe(asked, asked.top_k() == 0 ? 100 : asked.top_k(),
                   FromText<v1::RetrieveResponse>(response), At(at));
  }
  // The same, with this newest item, by version "v", with x as the answer.
  void AskFor(int at, const std::string& user, const std::string& newest) {
    Ask(at, absl::StrCat("user_id: '", user, "' seed_item: '", newest, "'"),
        "bundle_version: 'v' item_ids: 'x'");
  }
  static LiveHits::Clock::time_point At(int second) {
    return LiveHits::Clock::time_point(seconds(second));
  }

  // -1: there is no such series.
  double Count(const std::string& series, int k, const std::string& version) {
    const auto values = MetricValues(metrics_.Text());
    const auto found =
        values.find(absl::StrCat("segue_live_", series, "_total{k=\"", k,
                                 "\",version=\"", version, "\"}"));
    return found == values.end() ? -1 : found->second;
  }
  double Labels(int k = 10, const std::string& version = "v") {
    return Count("hit_labels", k, version);
  }
  double Hits(int k = 10, const std::string& version = "v") {
    return Count("hits", k, version);
  }

  Metrics metrics_;
  std::unique_ptr<LiveHits> hits_;
};

TEST_F(LiveHitsTest, AnAnswerThatHadTheNextItemIsAHit) {
  Start(1);
  Ask(0, "user_id: 'u' history: 'a'",
      "bundle_version: 'v' item_ids: ['x', 'y']");
  EXPECT_EQ(Labels(), 0);
  Ask(1, "user_id: 'u' history: ['a', 'y']", "bundle_version: 'v'");
  for (const int k : {10, 100}) {
    EXPECT_EQ(Labels(k), 1) << k;
    EXPECT_EQ(Hits(k), 1) << k;
  }
}

TEST_F(LiveHitsTest, AnAnswerWithoutItIsAMiss) {
  Start(1);
  AskFor(0, "u", "a");
  AskFor(1, "u", "y");
  for (const int k : {10, 100}) {
    EXPECT_EQ(Labels(k), 1) << k;
    EXPECT_EQ(Hits(k), 0) << k;
  }
}

TEST_F(LiveHitsTest, TheEleventhItemIsAHitAmong100AndNoneAmong10) {
  Start(1);
  Ask(0, "user_id: 'u' history: 'a'", kElevenItems);
  AskFor(1, "u", "x");
  EXPECT_EQ(Labels(10), 1);
  EXPECT_EQ(Hits(10), 0);
  EXPECT_EQ(Labels(100), 1);
  EXPECT_EQ(Hits(100), 1);
}

TEST_F(LiveHitsTest, OfMoreThan100ItemsTheFirst100Count) {
  Start(1);
  std::string items;
  for (int i = 0; i < 101; ++i)
    absl::StrAppend(&items, " item_ids: 'i", i, "'");
  for (const char* user : {"one", "two"}) {
    Ask(0, absl::StrCat("user_id: '", user, "' history: 'a' top_k: 101"),
        absl::StrCat("bundle_version: 'v'", items));
  }
  AskFor(1, "one", "i99");
  EXPECT_EQ(Hits(100), 1);
  AskFor(1, "two", "i100");
  EXPECT_EQ(Labels(100), 2);
  EXPECT_EQ(Hits(100), 1);
}

TEST_F(LiveHitsTest, AnAnswerCountsOnlyForTheKsThatWereAskedOfIt) {
  Start(1);
  Ask(0, "user_id: 'u' history: 'a' top_k: 9", kElevenItems);
  Ask(1, "user_id: 'u' history: 'b' top_k: 10", kElevenItems);
  EXPECT_EQ(Labels(10), 0);
  Ask(2, "user_id: 'u' history: 'i0' top_k: 99", kElevenItems);
  EXPECT_EQ(Labels(10), 1);
  EXPECT_EQ(Hits(10), 1);
  Ask(3, "user_id: 'u' history: 'i1'", kElevenItems);
  EXPECT_EQ(Labels(10), 2);
  EXPECT_EQ(Labels(100), 0);
}

TEST_F(LiveHitsTest, EachAnswerIsLabelledOnceByTheNextRequest) {
  Start(1);
  Ask(0, "user_id: 'u' history: 'a'",
      "bundle_version: 'v' item_ids: ['x', 'y']");
  Ask(1, "user_id: 'u' history: ['a', 'x']",
      "bundle_version: 'v' item_ids: 'z'");
  Ask(2, "user_id: 'u' history: ['a', 'x', 'y']", "bundle_version: 'v'");
  EXPECT_EQ(Labels(), 2);
  EXPECT_EQ(Hits(), 1);
}

TEST_F(LiveHitsTest, TheSameNewestItemIsNoLabelAndTheLastAnswerCounts) {
  Start(1);
  Ask(0, "user_id: 'u' history: 'a'", "bundle_version: 'v' item_ids: 'x'");
  Ask(1, "user_id: 'u' seed_item: 'a'", "bundle_version: 'v' item_ids: 'y'");
  EXPECT_EQ(Labels(), 0);
  AskFor(2, "u", "y");
  EXPECT_EQ(Labels(), 1);
  EXPECT_EQ(Hits(), 1);
}

TEST_F(LiveHitsTest, ARequestWithoutItemsIsNoLabelButHasOne) {
  Start(1);
  Ask(0, "user_id: 'u' history: 'a'", "bundle_version: 'v' item_ids: 'y'");
  Ask(1, "user_id: 'u'", "bundle_version: 'v' item_ids: 'x'");
  EXPECT_EQ(Labels(), 0);
  AskFor(2, "u", "x");
  EXPECT_EQ(Labels(), 1);
  EXPECT_EQ(Hits(), 1);
}

TEST_F(LiveHitsTest, TheSeedItemIsNewerThanTheHistory) {
  Start(1);
  Ask(0, "user_id: 'u' history: 'a' seed_item: 'b'",
      "bundle_version: 'v' item_ids: 'x'");
  Ask(1, "user_id: 'u' history: ['a', 'x'] seed_item: 'b'",
      "bundle_version: 'v' item_ids: 'x'");
  EXPECT_EQ(Labels(), 0);
  Ask(2, "user_id: 'u' history: 'a' seed_item: 'x'", "bundle_version: 'v'");
  EXPECT_EQ(Labels(), 1);
  EXPECT_EQ(Hits(), 1);
}

TEST_F(LiveHitsTest, AnAnswerIsLabelledWithinItsTimeToLive) {
  Start(1);
  const int ttl = static_cast<int>(seconds(kTtl).count());
  AskFor(0, "in time", "a");
  AskFor(0, "late", "a");
  AskFor(ttl, "in time", "x");
  EXPECT_EQ(Labels(), 1);
  AskFor(ttl + 1, "late", "x");
  EXPECT_EQ(Labels(), 1);
}

TEST_F(LiveHitsTest, AnItemThatWasExcludedIsNoLabel) {
  Start(1);
  const std::string answer = "bundle_version: 'v' item_ids: 'x'";
  const std::string excluding = "user_id: 'u' exclude_history: true ";
  Ask(0, excluding + "history: ['a', 'b']", answer);
  Ask(1, excluding + "history: ['a', 'b', 'a']", answer);
  EXPECT_EQ(Labels(), 0);
  // The seed item, of which the history does not know yet.
  Ask(2, excluding + "history: ['a', 'b'] seed_item: 'b'", answer);
  EXPECT_EQ(Labels(), 1);
  Ask(3, excluding + "history: ['a', 'b'] seed_item: 'a'", answer);
  EXPECT_EQ(Labels(), 1);
}

TEST_F(LiveHitsTest, AnItemOfTheHistoryThatMayBeAnsweredIsALabel) {
  Start(1);
  Ask(0, "user_id: 'u' history: ['a', 'b']",
      "bundle_version: 'v' item_ids: 'a'");
  // How the label's own request is to be answered does not matter.
  Ask(1, "user_id: 'u' history: ['a', 'b', 'a'] exclude_history: true",
      "bundle_version: 'v'");
  EXPECT_EQ(Labels(), 1);
  EXPECT_EQ(Hits(), 1);
}

TEST_F(LiveHitsTest, OverTheByteCapTheOldestAnswerGoes) {
  Start(1, /*answers=*/2);
  AskFor(0, "one", "a");
  AskFor(1, "two", "a");
  AskFor(2, "one", "a");
  AskFor(3, "three", "a");
  AskFor(4, "one", "x");
  AskFor(5, "three", "x");
  EXPECT_EQ(Labels(), 2);
  AskFor(6, "two", "x");
  EXPECT_EQ(Labels(), 2);
}

TEST_F(LiveHitsTest, OffHasNoSeries) {
  Start(0, /*answers=*/0);
  hits_->SetVersions({"v"}, At(0));
  AskFor(0, "u", "a");
  AskFor(1, "u", "x");
  EXPECT_EQ(Labels(), -1);
  EXPECT_EQ(Hits(), -1);
}

TEST_F(LiveHitsTest, AShareOfTheUsersIsFollowedAlwaysTheSame) {
  constexpr int kUsers = 1000;
  for (const double share : {.25, 1.0}) {
    SCOPED_TRACE(share);
    Start(share, kUsers);
    const double before = std::max(Labels(), 0.0);
    std::vector<double> labels;
    for (int round = 0; round < 3; ++round) {
      for (int user = 0; user < kUsers; ++user) {
        AskFor(round, absl::StrCat("u", user), absl::StrCat("i", round));
      }
      labels.push_back(Labels() - before);
    }
    EXPECT_EQ(labels[0], 0);
    EXPECT_NEAR(labels[1], share * kUsers, share == 1 ? 0 : 50);
    EXPECT_EQ(labels[2], 2 * labels[1]);
  }
}

TEST_F(LiveHitsTest, AnonymousUsersAreNotFollowed) {
  Start(1);
  AskFor(0, "", "a");
  AskFor(1, "", "x");
  EXPECT_EQ(Labels(), -1);
}

TEST_F(LiveHitsTest, UsersAreApart) {
  Start(1);
  AskFor(0, "one", "a");
  AskFor(1, "two", "x");
  EXPECT_EQ(Labels(), 0);
}

TEST_F(LiveHitsTest, ALabelCountsForTheVersionThatGaveTheAnswer) {
  Start(1);
  Ask(0, "user_id: 'u' history: 'a'", "bundle_version: 'one' item_ids: 'x'");
  Ask(1, "user_id: 'u' history: 'x'", "bundle_version: 'two' item_ids: 'y'");
  Ask(2, "user_id: 'u' history: 'z'", "bundle_version: 'one' item_ids: 'y'");
  EXPECT_EQ(Labels(10, "one"), 1);
  EXPECT_EQ(Hits(10, "one"), 1);
  EXPECT_EQ(Labels(10, "two"), 1);
  EXPECT_EQ(Hits(10, "two"), 0);
}

TEST_F(LiveHitsTest, RequestsThatComeTogetherOrLateAreNoLabels) {
  Start(1);
  AskFor(5, "u", "a");
  AskFor(5, "u", "x");
  AskFor(4, "u", "x");
  EXPECT_EQ(Labels(), 0);
  // The first of them counts.
  AskFor(6, "u", "a");
  EXPECT_EQ(Labels(), 0);
}

TEST_F(LiveHitsTest, TheSeriesOfAVersionAreThereFromTheStartUntilItIsGone) {
  Start(1);
  hits_->SetVersions({"one", ""}, At(0));
  EXPECT_EQ(Labels(10, "one"), 0);
  EXPECT_EQ(Hits(100, "one"), 0);
  EXPECT_EQ(Labels(10, ""), -1);
  hits_->SetVersions({"two", "one"}, At(1));
  EXPECT_EQ(Labels(10, "one"), 0);
  hits_->SetVersions({"three", "two"}, At(2));
  EXPECT_EQ(Labels(10, "one"), -1);
  EXPECT_EQ(Hits(100, "one"), -1);
  EXPECT_EQ(Labels(10, "two"), 0);
}

TEST_F(LiveHitsTest, TheSeriesOfAVersionStayWhileAnAnswerMayBeLabelled) {
  Start(1);
  hits_->SetVersions({"v"}, At(0));
  AskFor(0, "u", "a");
  hits_->SetVersions({"two"}, At(1));
  AskFor(2, "u", "x");
  EXPECT_EQ(Hits(), 1);
  hits_->SetVersions({"three"}, At(3));
  EXPECT_EQ(Hits(), 1);
  hits_->SetVersions({"four"}, At(3) + kTtl);
  EXPECT_EQ(Hits(), -1);
}

TEST_F(LiveHitsTest, ThreadsLoseNoLabelWhileVersionsComeAndGo) {
  constexpr int kThreads = 3, kRounds = 300;
  Start(1);
  AskFor(0, "keeps the version", "a");
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < kRounds; ++i) {
        AskFor(i, absl::StrCat("u", t), i % 2 == 0 ? "a" : "x");
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    hits_->SetVersions({absl::StrCat("v", i)}, At(0));
    EXPECT_LE(Labels(), kThreads * kRounds);
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Labels(), kThreads * (kRounds - 1));
  EXPECT_EQ(Hits(), kThreads * kRounds / 2);
  EXPECT_EQ(Labels(10, "v18"), -1);
  EXPECT_EQ(Labels(10, "v19"), 0);
}

}  // namespace
}  // namespace segue
