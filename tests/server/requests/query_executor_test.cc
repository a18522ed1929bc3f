#include "server/requests/query_executor.h"

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/fake_job.h"
#include "tests/server/metric_values.h"
#include "tests/server/snapshots.h"
#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using segue::testing::FakeJob;
using segue::testing::FakeParts;
using segue::testing::FakeSnapshot;
using segue::testing::IsOk;
using segue::testing::MetricValue;
using segue::testing::Past;
using segue::testing::StatusIs;
using segue::testing::TinySnapshot;
using ::testing::_;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr auto kCancelled = absl::StatusCode::kCancelled;
constexpr auto kInternal = absl::StatusCode::kInternal;
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kLate = absl::StatusCode::kDeadlineExceeded;

class QueryExecutorTest : public ::testing::Test {
 protected:
  void Publish(std::shared_ptr<const ServingSnapshot> snapshot,
               bool hold = false) {
    ASSERT_NE(snapshot, nullptr);
    retired_ = holder_.Publish(std::move(snapshot), hold);
  }

  using Fail = std::function<absl::Status(absl::Span<const float> seeds)>;

  // Publishes a fake that records what is embedded; `fail` may refuse it.
  void PublishFake(const Fail& fail = [](auto) { return absl::OkStatus(); }) {
    FakeParts parts;
    parts.on_embed = [this, fail](absl::Span<const float> seeds) {
      embedded_.emplace_back(seeds.begin(), seeds.end());
      return fail(seeds);
    };
    parts.on_search = [this](auto&) {
      ++searches_;
      return on_search_ ? on_search_() : absl::OkStatus();
    };
    Publish(FakeSnapshot(parts));
  }

  void Execute(const std::vector<Job*>& jobs, int max_batch = 16) {
    QueryExecutor(holder_, metrics_, Observers(), {.max_batch = max_batch})
        .Execute(jobs);
  }

  AnswerObservers Observers() {
    return {live_overlap_, live_hits_, shadow_traffic_};
  }

  double Metric(const std::string& series) {
    return MetricValue(metrics_.Text(), series);
  }

  SnapshotHolder holder_;
  Metrics metrics_;
  LiveOverlap live_overlap_{{}, metrics_};
  LiveHits live_hits_{{.share = 1,
                       .ttl = std::chrono::minutes(1),
                       .bytes = 8 * LiveHits::kAnswerBytes},
                      metrics_};
  ShadowTraffic shadow_traffic_{/*processor=*/1, metrics_};
  std::shared_ptr<const ServingSnapshot> retired_;
  std::vector<std::vector<float>> embedded_;  // seed rows of each forward pass
  int searches_ = 0;
  std::function<absl::Status()> on_search_;
};

TEST_F(QueryExecutorTest, EachJobGetsTheAnswersOfItsOwnQueries) {
  Publish(TinySnapshot());
  FakeJob one({"history: 'i3' top_k: 2"});
  FakeJob two({"exclude_item_ids: 'i5' top_k: 12", "history: ['x'] top_k: 1"});
  Execute({&one, &two});
  EXPECT_THAT(one.statuses, ElementsAre(IsOk()));
  EXPECT_THAT(two.statuses, ElementsAre(IsOk()));
  EXPECT_THAT(one.responses[0].item_ids(), SizeIs(2));
  EXPECT_THAT(one.responses[0].scores(), SizeIs(2));
  EXPECT_THAT(two.responses[0].item_ids(), SizeIs(11));
  EXPECT_THAT(two.responses[0].item_ids(), Each(Not("i5")));
  EXPECT_THAT(two.responses[1].item_ids(), SizeIs(1));
  EXPECT_EQ(two.responses[1].unknown_history(), 1);
}

TEST_F(QueryExecutorTest, AnswersDoNotDependOnTheGroup) {
  Publish(TinySnapshot());
  FakeJob alone({"user_id: 'u1' history: ['i3', 'i4'] top_k: 4"});
  FakeJob before({"user_id: 'u0'"}), after({"history: 'i9'"});
  FakeJob together({"user_id: 'u1' history: ['i3', 'i4'] top_k: 4"});
  Execute({&alone});
  Execute({&before, &together, &after});
  const auto& ids = alone.responses[0].item_ids();
  EXPECT_THAT(together.responses[0].item_ids(),
              ::testing::ElementsAreArray(ids.begin(), ids.end()));
}

// Tuned for .9, with a point for less.
TEST_F(QueryExecutorTest, PressedSearchesThatNameNoEffortAreCheaper) {
  const auto snapshot = FakeSnapshot({});
  snapshot->efforts = EffortTable::FrontsOf(
      {{.k = 3,
        .points = {{{1, 1}, .7, 1}, {{2, 1}, .8, 2}, {{4, 2}, .9, 3}}}});
  snapshot->target_overlap = .9;
  Publish(snapshot);
  const auto nprobe = [&](const std::string& request, double pressed_overlap,
                          bool pressed) {
    FakeJob job({request});
    QueryExecutor(holder_, metrics_, Observers(),
                  {.max_batch = 1, .pressed_overlap = pressed_overlap})
        .Execute(std::vector<Job*>{&job}, pressed);
    EXPECT_THAT(job.statuses, ElementsAre(IsOk()));
    return job.responses[0].effort().nprobe();
  };
  EXPECT_EQ(nprobe("top_k: 3", .8, /*pressed=*/true), 2);
  EXPECT_EQ(Metric("segue_effort_lowered_total"), 1);
  EXPECT_EQ(nprobe("top_k: 3", .8, /*pressed=*/false), 4);
  EXPECT_EQ(nprobe("top_k: 3", 0, /*pressed=*/true), 4);
  // Never more than without.
  EXPECT_EQ(nprobe("top_k: 3", .95, /*pressed=*/true), 4);
  EXPECT_EQ(nprobe("top_k: 3 target_overlap: .9", .8, /*pressed=*/true), 4);
  EXPECT_EQ(nprobe("top_k: 3 effort { nprobe: 3 }", .8, /*pressed=*/true), 3);
  EXPECT_EQ(Metric("segue_effort_lowered_total"), 1);
}

TEST_F(QueryExecutorTest, OneSnapshotAnswersTheWholeGroup) {
  Publish(TinySnapshot({.prefix = "old"}));
  const std::string old_version = holder_.Get()->version;
  const auto next = TinySnapshot({.prefix = "new"});
  FakeJob swap, run, query({"top_k: 3"}), later({"top_k: 3"});
  swap.on_run = [&] {
    Publish(next);
    return absl::OkStatus();
  };
  Execute({&swap, &run, &query});
  EXPECT_EQ(run.run_version, old_version);
  EXPECT_EQ(query.responses[0].bundle_version(), old_version);
  EXPECT_THAT(query.responses[0].item_ids(), Each(StartsWith("old")));
  Execute({&later});
  EXPECT_EQ(later.responses[0].bundle_version(), next->version);
  EXPECT_THAT(later.responses[0].item_ids(), Each(StartsWith("new")));
}

TEST_F(QueryExecutorTest, NoSnapshotIsHeldAfterTheGroup) {
  PublishFake();
  FakeJob query({""});
  Execute({&query});
  PublishFake();
  EXPECT_EQ(retired_.use_count(), 1);
}

TEST_F(QueryExecutorTest, WithoutASnapshotEveryJobIsUnavailable) {
  FakeJob run, query({"top_k: 3"});
  Execute({&run, &query});
  for (const FakeJob* job : {&run, &query}) {
    EXPECT_THAT(job->statuses,
                ElementsAre(StatusIs(absl::StatusCode::kUnavailable,
                                     HasSubstr("no bundle"))));
  }
  EXPECT_EQ(run.runs, 0);
  EXPECT_EQ(query.queries_read, 0);
}

TEST_F(QueryExecutorTest, CancelledAndExpiredJobsCostNothing) {
  PublishFake();
  FakeJob gone({""}), late({""}), gone_run, late_run;
  gone.cancelled = gone_run.cancelled = true;
  late.ends = late_run.ends = Past();
  Execute({&gone, &late, &gone_run, &late_run});
  EXPECT_THAT(gone.statuses, ElementsAre(StatusIs(kCancelled, _)));
  EXPECT_THAT(late.statuses, ElementsAre(StatusIs(kLate, _)));
  EXPECT_THAT(gone_run.statuses, ElementsAre(StatusIs(kCancelled, _)));
  EXPECT_THAT(late_run.statuses, ElementsAre(StatusIs(kLate, _)));
  EXPECT_EQ(gone.queries_read + late.queries_read, 0);
  EXPECT_EQ(gone_run.runs + late_run.runs, 0);
  EXPECT_THAT(embedded_, IsEmpty());
  EXPECT_EQ(searches_, 0);
}

TEST_F(QueryExecutorTest, UnwantedNeighboursTakeNoPlaceInTheForwardPass) {
  PublishFake();
  FakeJob first({"seed_item: 'i0'"}), gone({"seed_item: 'i1'"}),
      last({"seed_item: 'i2'"});
  gone.cancelled = true;
  Execute({&first, &gone, &last});
  EXPECT_THAT(embedded_, ElementsAre(ElementsAre(0, 2)));
  EXPECT_THAT(first.statuses, ElementsAre(IsOk()));
  EXPECT_THAT(last.statuses, ElementsAre(IsOk()));
}

TEST_F(QueryExecutorTest, AJobCancelledBetweenTheStagesIsNotSearched) {
  FakeJob kept({""}), gone({""}), late({""});
  PublishFake([&](auto) {
    gone.cancelled = true;
    late.ends = Past();
    return absl::OkStatus();
  });
  Execute({&kept, &gone, &late});
  EXPECT_THAT(kept.statuses, ElementsAre(IsOk()));
  EXPECT_THAT(gone.statuses, ElementsAre(StatusIs(kCancelled, _)));
  EXPECT_THAT(late.statuses, ElementsAre(StatusIs(kLate, _)));
  EXPECT_EQ(searches_, 1);
}

TEST_F(QueryExecutorTest, TheChunksOfACancelledJobAreNotEmbedded) {
  FakeJob job({"seed_item: 'i0'", "seed_item: 'i1'", "seed_item: 'i2'"});
  PublishFake([&](auto) {
    job.cancelled = true;
    return absl::OkStatus();
  });
  Execute({&job}, /*max_batch=*/1);
  EXPECT_THAT(job.statuses, ElementsAre(StatusIs(kCancelled, _)));
  EXPECT_THAT(embedded_, ElementsAre(ElementsAre(0)));
}

TEST_F(QueryExecutorTest, NoAnswerIsSentLate) {
  PublishFake();
  FakeJob run, query({""});
  run.on_run = [&] {
    run.ends = Past();
    return absl::OkStatus();
  };
  on_search_ = [&] {
    query.ends = Past();
    return absl::OkStatus();
  };
  Execute({&run, &query});
  EXPECT_THAT(run.statuses, ElementsAre(StatusIs(kLate, _)));
  EXPECT_THAT(query.statuses, ElementsAre(StatusIs(kLate, _)));
}

TEST_F(QueryExecutorTest, ABadJobDoesNotFailItsNeighbours) {
  Publish(TinySnapshot());
  FakeJob first({"top_k: 3"}), last({"top_k: 3"});
  FakeJob bad({"user_features { name: 'mood' category: 'x' }"});
  Execute({&first, &bad, &last});
  EXPECT_THAT(first.statuses, ElementsAre(IsOk()));
  EXPECT_THAT(bad.statuses,
              ElementsAre(StatusIs(
                  kInvalid, StartsWith("user_features: the bundle has no"))));
  EXPECT_THAT(last.statuses, ElementsAre(IsOk()));
  EXPECT_THAT(last.responses[0].item_ids(), SizeIs(3));
}

TEST_F(QueryExecutorTest, TheBadOneOfSeveralQueriesIsNamedAndNoneIsEmbedded) {
  PublishFake();
  FakeJob bad({"", "request_features { name: 'mood' number: 1 }", ""});
  Execute({&bad});
  EXPECT_THAT(bad.statuses,
              ElementsAre(StatusIs(
                  kInvalid, StartsWith("requests[1].request_features: "))));
  EXPECT_THAT(embedded_, IsEmpty());
}

TEST_F(QueryExecutorTest, AGroupIsEmbeddedInPassesOfMaxBatchQueries) {
  PublishFake();
  FakeJob one({"seed_item: 'i0'"});
  FakeJob two({"seed_item: 'i1'", "seed_item: 'i2'"});
  FakeJob three({"seed_item: 'i0'", "seed_item: 'i1'"});
  Execute({&one, &two, &three}, /*max_batch=*/2);
  EXPECT_THAT(embedded_, ElementsAre(ElementsAre(0, 1), ElementsAre(2, 0),
                                     ElementsAre(1)));
  for (const FakeJob* job : {&one, &two, &three}) {
    EXPECT_THAT(job->statuses, ElementsAre(IsOk()));
  }
  EXPECT_EQ(searches_, 5);
}

// Item i1's row makes the towers fail.
absl::Status FailForItem1(absl::Span<const float> seeds) {
  for (const float seed : seeds) {
    if (seed == 1) return absl::InternalError("the tower fails");
  }
  return absl::OkStatus();
}

TEST_F(QueryExecutorTest, WhereAForwardPassFailsEachQueryIsTriedAlone) {
  PublishFake(FailForItem1);
  FakeJob first({"seed_item: 'i0'"}), bad({"seed_item: 'i1'"}),
      last({"seed_item: 'i2'"});
  Execute({&first, &bad, &last});
  EXPECT_THAT(embedded_, ElementsAre(ElementsAre(0, 1, 2), ElementsAre(0),
                                     ElementsAre(1), ElementsAre(2)));
  EXPECT_THAT(first.statuses, ElementsAre(IsOk()));
  EXPECT_THAT(bad.statuses,
              ElementsAre(StatusIs(kInternal, "the tower fails")));
  EXPECT_THAT(last.statuses, ElementsAre(IsOk()));
  EXPECT_THAT(last.responses[0].item_ids(), SizeIs(3));
}

TEST_F(QueryExecutorTest, AJobOfSeveralFailsOnceByItsFirstBadQuery) {
  PublishFake(FailForItem1);
  FakeJob bad({"seed_item: 'i0'", "seed_item: 'i1'", "seed_item: 'i1'"});
  FakeJob good({"seed_item: 'i2'"});
  Execute({&bad, &good});
  EXPECT_THAT(bad.statuses, ElementsAre(StatusIs(kInternal, _)));
  EXPECT_THAT(good.statuses, ElementsAre(IsOk()));
}

TEST_F(QueryExecutorTest, AQueryAloneThatFailsIsNotTriedAgain) {
  PublishFake(FailForItem1);
  FakeJob bad({"seed_item: 'i1'"});
  Execute({&bad});
  EXPECT_THAT(bad.statuses, ElementsAre(StatusIs(kInternal, _)));
  EXPECT_THAT(embedded_, SizeIs(1));
}

TEST_F(QueryExecutorTest, ASearchThatFailsIsTheErrorOfItsJobOnly) {
  PublishFake();
  FakeJob bad({""}), good({""});
  on_search_ = [&] {
    return searches_ == 1 ? absl::InternalError("the index fails")
                          : absl::OkStatus();
  };
  Execute({&bad, &good});
  EXPECT_THAT(bad.statuses,
              ElementsAre(StatusIs(kInternal, "the index fails")));
  EXPECT_THAT(good.statuses, ElementsAre(IsOk()));
}

TEST_F(QueryExecutorTest, AJobWithoutQueriesIsCompletedByWhatRunSays) {
  PublishFake();
  FakeJob good, bad;
  bad.on_run = [] { return absl::NotFoundError("no such item"); };
  Execute({&good, &bad});
  EXPECT_THAT(good.statuses, ElementsAre(IsOk()));
  EXPECT_EQ(good.run_version, "fake");
  EXPECT_THAT(bad.statuses, ElementsAre(StatusIs(absl::StatusCode::kNotFound,
                                                 "no such item")));
}

TEST_F(QueryExecutorTest, MeasuresPassesSearchesAndUnknownIds) {
  PublishFake();
  FakeJob one({"history: ['i0', 'x', 'y']"}), two({"", "seed_item: 'z'"});
  Execute({&one, &two});
  EXPECT_EQ(Metric("segue_embed_batch_queries_count"), 1);
  EXPECT_EQ(Metric("segue_embed_batch_queries_sum"), 3);
  EXPECT_EQ(Metric("segue_request_duration_seconds_count{stage=\"embed\"}"), 1);
  EXPECT_EQ(Metric("segue_request_duration_seconds_count{found_by=\"index\","
                   "stage=\"search\"}"),
            3);
  EXPECT_EQ(Metric("segue_unknown_history_ids_total"), 3);
}

TEST_F(QueryExecutorTest, TheNextItemOfAUserIsTheLabelOfTheAnswerBefore) {
  Publish(TinySnapshot());
  const std::string version = holder_.Get()->version;
  FakeJob job({"user_id: 'u1' history: 'i3' top_k: 10 exclude_history: true"});
  Execute({&job});
  const std::string next = job.responses[0].item_ids(1);
  FakeJob after({absl::StrCat("user_id: 'u1' history: ['i3', '", next, "']")});
  after.queued_at = job.queued_at + std::chrono::seconds(1);
  Execute({&after});
  const auto counted = [&](const char* what, int k) {
    return Metric(absl::StrCat("segue_live_", what, "_total{k=\"", k,
                               "\",version=\"", version, "\"}"));
  };
  EXPECT_EQ(counted("hit_labels", 10), 1);
  EXPECT_EQ(counted("hits", 10), 1);
  // It was asked for 10.
  EXPECT_EQ(counted("hit_labels", 100), 0);
}

TEST_F(QueryExecutorTest, AQueryThatIsNotAnsweredIsNotFollowed) {
  PublishFake();
  FakeJob good({"user_id: 'u' seed_item: 'i0'"});
  FakeJob bad({"user_id: 'u' seed_item: 'i1'"});
  bad.queued_at = good.queued_at + std::chrono::seconds(1);
  Execute({&good});
  on_search_ = [] { return absl::InternalError("the index fails"); };
  Execute({&bad});
  EXPECT_EQ(Metric("segue_live_hit_labels_total{k=\"10\",version=\"fake\"}"),
            0);
}

TEST_F(QueryExecutorTest, AJobIsAnsweredByTheVersionThatItNames) {
  for (const char* version : {"one", "two"}) {
    const auto snapshot = FakeSnapshot({});
    snapshot->version = version;
    Publish(snapshot, /*hold=*/true);
  }
  FakeJob live({""}), named({""}), before({""}), run, unknown({""});
  named.version = "two";
  before.version = "one";
  run.version = "one";
  unknown.version = "three";
  Execute({&live, &before, &named, &unknown, &run});
  EXPECT_EQ(live.responses[0].bundle_version(), "two");
  EXPECT_EQ(named.responses[0].bundle_version(), "two");
  EXPECT_EQ(before.responses[0].bundle_version(), "one");
  EXPECT_EQ(run.run_version, "one");
  EXPECT_THAT(unknown.statuses,
              ElementsAre(StatusIs(absl::StatusCode::kNotFound,
                                   HasSubstr("three is neither live"))));
}

TEST_F(QueryExecutorTest, WhatNamesNoVersionIsCopiedToTheShadow) {
  Publish(TinySnapshot());
  shadow_traffic_.SetLive(holder_.Get()->version);
  shadow_traffic_.SetShadow(TinySnapshot(), /*share=*/1);
  FakeJob one({"history: 'i3'"}), two({"", "user_id: 'u1'"}), named({""});
  named.version = holder_.Get()->version;
  Execute({&named, &one, &two});
  while (shadow_traffic_.status()->queries() < 3) std::this_thread::yield();
  shadow_traffic_.Stop();
  EXPECT_EQ(Metric("segue_shadow_overlap_count"), 3);
  EXPECT_EQ(Metric("segue_shadow_overlap_sum"), 3);
  EXPECT_GT(Metric("segue_shadow_duration_seconds_sum{bundle=\"live\"}"), 0);
}

}  // namespace
}  // namespace segue
