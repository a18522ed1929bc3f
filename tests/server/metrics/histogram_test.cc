#include "server/metrics/histogram.h"

#include <cmath>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace segue {
namespace {

using ::testing::ElementsAre;

std::vector<uint64_t> CumulativeCounts(const Histogram& histogram) {
  std::vector<uint64_t> counts;
  for (const auto& bucket : histogram.Collect().bucket) {
    counts.push_back(bucket.cumulative_count);
  }
  return counts;
}

TEST(HistogramTest, AValueCountsUpToTheFirstBoundThatHoldsIt) {
  Histogram histogram({1, 2, 4});
  EXPECT_THAT(CumulativeCounts(histogram), ElementsAre(0, 0, 0, 0));
  for (const double value : {0.5, 1.0, 1.5, 4.0, 4.5}) {
    histogram.Observe(value);
  }
  EXPECT_THAT(CumulativeCounts(histogram), ElementsAre(2, 3, 4, 5));
  const auto collected = histogram.Collect();
  EXPECT_EQ(collected.sample_count, 5u);
  EXPECT_EQ(collected.sample_sum, 11.5);
  EXPECT_TRUE(std::isinf(collected.bucket.back().upper_bound));
}

TEST(HistogramTest, NothingIsLostBetweenMoreThreadsThanParts) {
  constexpr int kThreads = 40, kEach = 1000;
  Histogram histogram({0, 1, 2});
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) histogram.Observe(t % 4);
    });
  }
  for (std::thread& thread : threads) thread.join();
  constexpr int kQuarter = kThreads * kEach / 4;
  EXPECT_THAT(CumulativeCounts(histogram),
              ElementsAre(kQuarter, 2 * kQuarter, 3 * kQuarter, 4 * kQuarter));
  EXPECT_EQ(histogram.Collect().sample_sum, 6.0 * kQuarter);
}

TEST(HistogramFamilyTest, HasEachHistogramUnderItsLabels) {
  HistogramFamily family("seconds", "What took them.");
  family.Add({{"stage", "embed"}}, {1});
  family.Add({{"method", "Retrieve"}, {"stage", "total"}}, {1}).Observe(3);
  const prometheus::MetricFamily collected = family.Collect();
  EXPECT_EQ(collected.name, "seconds");
  EXPECT_EQ(collected.help, "What took them.");
  EXPECT_EQ(collected.type, prometheus::MetricType::Histogram);
  ASSERT_EQ(collected.metric.size(), 2u);
  EXPECT_EQ(collected.metric[0].histogram.sample_count, 0u);
  EXPECT_EQ(collected.metric[1].histogram.sample_count, 1u);
  ASSERT_EQ(collected.metric[1].label.size(), 2u);
  EXPECT_EQ(collected.metric[1].label[0].name, "method");
  EXPECT_EQ(collected.metric[1].label[0].value, "Retrieve");
}

}  // namespace
}  // namespace segue
