#include "server/quality/live_overlap.h"

#include <memory>
#include <string>
#include <vector>

#include "core/base/mutex.h"
#include "gmock/gmock.h"
#include "tests/server/metric_values.h"
#include "tests/server/snapshots.h"
#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using segue::testing::FakeParts;
using segue::testing::FakeSnapshot;
using segue::testing::IsOk;
using segue::testing::MetricValue;

// Searches of the fake find two of the three rows that an exact one does.
class LiveOverlapTest : public ::testing::Test {
 protected:
  LiveOverlapTest() {
    FakeParts parts;
    parts.items = 4;
    parts.on_search = [](std::vector<Neighbor>& found) {
      if (found.size() == 3) found.back().row = 3;
      return absl::OkStatus();
    };
    parts.on_exact_search = [this] {
      MutexLock lock(mu_);
      ++exact_;
      changed_.NotifyAll();
    };
    snapshot_ = FakeSnapshot(parts);
    snapshot_->efforts = EffortTable::FrontsOf(
        {{.k = 3, .points = {{{1, 1}, .9, 1}, {{2, 1}, .95, 2}}}});
    snapshot_->target_overlap = .9;
  }

  void Start(const LiveOverlap::Options& options) {
    live_ = std::make_unique<LiveOverlap>(options, metrics_);
    live_->Begin(*snapshot_);
  }

  v1::RetrieveResponse Answer(const v1::RetrieveRequest& request) {
    const auto query = ResolveQuery(*snapshot_, request,
                                    {.raised = live_->raised(*snapshot_)});
    EXPECT_THAT(query, IsOk());
    const std::vector<float> vector = {1};
    v1::RetrieveResponse response;
    const auto found = SearchAndFill(*snapshot_, vector, *query, response);
    EXPECT_THAT(found, IsOk());
    live_->Offer(snapshot_, vector, *query, *found);
    return response;
  }
  v1::RetrieveResponse Answer() {
    v1::RetrieveRequest request;
    request.set_top_k(3);
    return Answer(request);
  }
  // Until so many exact searches were made.
  void Await(int exact) {
    MutexLock lock(mu_);
    while (exact_ < exact) changed_.Wait(mu_);
  }
  double Metric(const std::string& series) {
    return MetricValue(metrics_.Text(), series);
  }

  Mutex mu_;
  CondVar changed_;
  int exact_ = 0;
  Metrics metrics_;
  std::shared_ptr<ServingSnapshot> snapshot_;
  std::unique_ptr<LiveOverlap> live_;
};

TEST_F(LiveOverlapTest, ComparesAnAnswerWithTheExactOne) {
  Start({.share = 1, .processor = 1});
  Answer();
  Await(1);
  live_->Stop();
  EXPECT_EQ(Metric("segue_live_overlap_count{filter=\"none\"}"), 1);
  EXPECT_NEAR(Metric("segue_live_overlap_sum{filter=\"none\"}"), 2.0 / 3, 1e-9);
}

TEST_F(LiveOverlapTest, TakesTheShareAskedForEvenly) {
  Start({.share = .25, .processor = 1});
  for (int i = 1; i <= 8; ++i) {
    Answer();
    Await(i / 4);
  }
  live_->Stop();
  EXPECT_EQ(Metric("segue_live_overlap_count{filter=\"none\"}"), 2);
}

TEST_F(LiveOverlapTest, OffTakesNone) {
  Start({});
  Answer();
  live_->Stop();
  EXPECT_EQ(exact_, 0);
  EXPECT_EQ(Metric("segue_live_overlap_count{filter=\"none\"}"), 0);
}

TEST_F(LiveOverlapTest, SamplesThatWaitTooLongInLineAreDroppedAndCounted) {
  // After one sample it rests for all of the test.
  Start({.share = 1, .processor = 1e-9});
  Answer();
  Await(1);
  for (int i = 0; i < 20; ++i) Answer();
  live_->Stop();
  EXPECT_EQ(exact_, 1);
  EXPECT_GE(Metric("segue_live_overlap_dropped_total"), 11);
}

TEST_F(LiveOverlapTest, FiltersAreClassedByWhatTheyLeave) {
  Start({.share = 1, .processor = 1});
  v1::RetrieveRequest request;
  request.set_top_k(3);
  request.mutable_filter()->mutable_items()->add_item_ids("i0");
  Answer(request);
  Await(1);
  live_->Stop();
  EXPECT_EQ(Metric("segue_live_overlap_count{filter=\"10_percent\"}"), 1);
}

TEST_F(LiveOverlapTest, TheEffortIsRaisedWhereTheObjectiveIsMissed) {
  Start({.share = 1, .processor = 1, .min_overlap = .9});
  EXPECT_EQ(Answer().effort().nprobe(), 1);
  Await(1);
  for (int i = 2; i <= EffortControl::kWindow; ++i) {
    Answer();
    Await(i);
  }
  live_->Stop();
  EXPECT_EQ(live_->raised(*snapshot_), 1);
  EXPECT_EQ(Metric("segue_effort_raised_points"), 1);
  const v1::RetrieveResponse harder = Answer();
  EXPECT_EQ(harder.effort().nprobe(), 2);
  EXPECT_EQ(harder.expected_overlap(), .95);
  // A request that says how hard to search is searched so.
  v1::RetrieveRequest own;
  own.set_top_k(3);
  own.set_target_overlap(.9);
  EXPECT_EQ(Answer(own).effort().nprobe(), 1);
  // And another bundle begins anew.
  live_->Begin(*snapshot_);
  EXPECT_EQ(live_->raised(*snapshot_), 0);
  EXPECT_EQ(Metric("segue_effort_raised_points"), 0);
}

TEST_F(LiveOverlapTest, OfABundleThatServesNoMoreNothingIsTaken) {
  Start({.share = 1, .processor = 1});
  const auto other = FakeSnapshot({});
  other->version = "other";
  live_->Begin(*other);
  Answer();
  live_->Stop();
  EXPECT_EQ(exact_, 0);
  EXPECT_EQ(live_->raised(*snapshot_), 0);
}

}  // namespace
}  // namespace segue
