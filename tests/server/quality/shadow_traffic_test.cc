#include "server/quality/shadow_traffic.h"

#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/metric_values.h"
#include "tests/server/snapshots.h"
#include "tests/server/text_message.h"

namespace segue {
namespace {

using segue::testing::FakeParts;
using segue::testing::FakeSnapshot;
using segue::testing::FromText;
using segue::testing::MetricValue;
using segue::testing::TinySnapshot;
using ::testing::HasSubstr;

class ShadowTrafficTest : public ::testing::Test {
 protected:
  void Start(SnapshotPtr live, const SnapshotPtr& shadow, double share = 1,
             double processor = 1) {
    live_ = std::move(live);
    traffic_ = std::make_unique<ShadowTraffic>(processor, metrics_);
    traffic_->SetLive(live_->version);
    traffic_->SetShadow(shadow, share);
  }

  // A query that the live one has answered.
  void Ask(const std::string& text = "top_k: 3") {
    traffic_->Offer(live_, FromText<v1::RetrieveRequest>(text));
  }

  // Until the shadow has answered so many.
  v1::ShadowStatus Await(int64_t copies) {
    while (true) {
      const auto status = traffic_->status();
      EXPECT_TRUE(status.has_value());
      if (!status.has_value() ||
          status->queries() + status->failed() >= copies) {
        return status.value_or(v1::ShadowStatus());
      }
      std::this_thread::yield();
    }
  }
  double Metric(const std::string& series) {
    return MetricValue(metrics_.Text(), series);
  }

  Metrics metrics_;
  SnapshotPtr live_;
  std::unique_ptr<ShadowTraffic> traffic_;
};

TEST_F(ShadowTrafficTest, TheSameBundleAnswersTheSame) {
  Start(TinySnapshot(), TinySnapshot());
  Ask("user_id: 'u1' history: ['i3', 'i4'] top_k: 5");
  Ask("history: 'i7' exclude_item_ids: 'i1' top_k: 2");
  const v1::ShadowStatus status = Await(2);
  EXPECT_EQ(status.queries(), 2);
  EXPECT_EQ(status.failed(), 0);
  EXPECT_EQ(status.mean_overlap(), 1);
  EXPECT_EQ(status.mean_score_shift(), 0);
  EXPECT_GT(status.mean_live_ms(), 0);
  EXPECT_GT(status.mean_shadow_ms(), 0);
  EXPECT_EQ(Metric("segue_shadow_overlap_count"), 2);
  EXPECT_EQ(Metric("segue_shadow_overlap_sum"), 2);
  EXPECT_EQ(Metric("segue_shadow_score_shift_sum"), 0);
  EXPECT_EQ(Metric("segue_shadow_duration_seconds_count{bundle=\"live\"}"), 2);
  EXPECT_EQ(Metric("segue_shadow_duration_seconds_count{bundle=\"shadow\"}"),
            2);
}

TEST_F(ShadowTrafficTest, AnotherBundleIsToldByItemsAndScores) {
  FakeParts other;
  other.items = 4;
  other.on_search = [](std::vector<Neighbor>& found) {
    found.back().row = 3;
    for (Neighbor& one : found) one.score = .75f;
    return absl::OkStatus();
  };
  Start(FakeSnapshot({.items = 4}), FakeSnapshot(other));
  Ask();
  const v1::ShadowStatus status = Await(1);
  EXPECT_NEAR(status.mean_overlap(), 2.0 / 3, 1e-9);
  EXPECT_NEAR(status.mean_score_shift(), .25, 1e-6);
  EXPECT_NEAR(Metric("segue_shadow_score_shift_sum"), .25, 1e-6);
}

TEST_F(ShadowTrafficTest, WithoutACommonItemThereIsNoShift) {
  Start(TinySnapshot({.prefix = "a"}), TinySnapshot({.prefix = "b"}));
  Ask();
  const v1::ShadowStatus status = Await(1);
  EXPECT_TRUE(status.has_mean_overlap());
  EXPECT_EQ(status.mean_overlap(), 0);
  EXPECT_FALSE(status.has_mean_score_shift());
  EXPECT_EQ(Metric("segue_shadow_score_shift_count"), 0);
}

TEST_F(ShadowTrafficTest, WhatTheShadowCannotAnswerIsCounted) {
  Start(TinySnapshot(), TinySnapshot({.attributes = false}));
  Ask("top_k: 3 filter { one_of { attribute: 'parity' values: 'even' } }");
  const v1::ShadowStatus status = Await(1);
  EXPECT_EQ(status.failed(), 1);
  EXPECT_EQ(status.queries(), 0);
  EXPECT_THAT(status.last_failure(), HasSubstr("parity"));
  EXPECT_FALSE(status.has_mean_overlap());
  EXPECT_EQ(Metric("segue_shadow_failed_total"), 1);
}

TEST_F(ShadowTrafficTest, TakesTheShareAskedForEvenly) {
  Start(TinySnapshot(), TinySnapshot(), /*share=*/.25);
  for (int i = 1; i <= 8; ++i) {
    Ask();
    Await(i / 4);
  }
  traffic_->Stop();
  EXPECT_EQ(traffic_->status()->queries(), 2);
}

TEST_F(ShadowTrafficTest, AShareOf0CopiesNothing) {
  Start(TinySnapshot(), TinySnapshot(), /*share=*/0);
  for (int i = 0; i < 10; ++i) Ask();
  traffic_->Stop();
  EXPECT_EQ(traffic_->status()->queries(), 0);
  EXPECT_EQ(Metric("segue_shadow_overlap_count"), 0);
}

TEST_F(ShadowTrafficTest, WithoutAShadowNothingIsCopied) {
  Start(TinySnapshot(), TinySnapshot());
  traffic_->SetShadow(nullptr, 0);
  Ask();
  traffic_->Stop();
  EXPECT_FALSE(traffic_->status().has_value());
  EXPECT_EQ(Metric("segue_shadow_overlap_count"), 0);
}

TEST_F(ShadowTrafficTest, CopiesThatComeTooFastAreDroppedAndCounted) {
  // After one it rests for all of the test.
  Start(TinySnapshot(), TinySnapshot(), /*share=*/1, /*processor=*/1e-9);
  Ask();
  Await(1);
  for (int i = 0; i < 40; ++i) Ask();
  traffic_->Stop();
  EXPECT_EQ(traffic_->status()->queries(), 1);
  EXPECT_GE(traffic_->status()->dropped(), 20);
  EXPECT_EQ(Metric("segue_shadow_dropped_total"),
            static_cast<double>(traffic_->status()->dropped()));
}

TEST_F(ShadowTrafficTest, ComparingBeginsAnewWithAnotherLiveBundle) {
  const auto shadow = TinySnapshot();
  Start(TinySnapshot(), shadow);
  Ask();
  Await(1);
  traffic_->SetShadow(shadow, .5);
  EXPECT_EQ(traffic_->status()->queries(), 1);
  EXPECT_EQ(traffic_->status()->share(), .5);
  traffic_->SetLive("another");
  EXPECT_EQ(traffic_->status()->queries(), 0);
  // The one before may have requests in flight.
  for (int i = 0; i < 10; ++i) Ask();
  traffic_->Stop();
  EXPECT_EQ(traffic_->status()->queries(), 0);
  EXPECT_EQ(Metric("segue_shadow_overlap_count"), 1);
}

// The shadow's searches wait for Release().
class BusyShadowTest : public ShadowTrafficTest {
 protected:
  void Begin() {
    FakeParts parts;
    parts.on_search = [this](auto&) {
      begun_.release();
      released_.acquire();
      return absl::OkStatus();
    };
    auto shadow = FakeSnapshot(parts);
    freed_ = shadow;
    Start(FakeSnapshot({}), shadow);
    for (int i = 0; i < 4; ++i) Ask();
    begun_.acquire();
  }

  std::binary_semaphore begun_{0}, released_{0};
  std::weak_ptr<const ServingSnapshot> freed_;
};

TEST_F(BusyShadowTest, StopWaitsForOneCopyAndDropsTheOthers) {
  Begin();
  std::thread releases([this] { released_.release(); });
  traffic_->Stop();
  releases.join();
  EXPECT_LE(traffic_->status()->queries(), 1);
  Ask();
  EXPECT_GE(traffic_->status()->dropped(), 1);
}

TEST_F(BusyShadowTest, DiscardedItIsLetGoAfterTheCopyAndNotCounted) {
  Begin();
  traffic_->SetShadow(nullptr, 0);
  EXPECT_FALSE(freed_.expired());
  released_.release();
  while (!freed_.expired()) std::this_thread::yield();
  traffic_->Stop();
  EXPECT_EQ(Metric("segue_shadow_overlap_count"), 0);
}

}  // namespace
}  // namespace segue
