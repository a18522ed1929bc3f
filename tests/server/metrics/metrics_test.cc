#include "server/metrics/metrics.h"

#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/metric_values.h"

namespace segue {
namespace {

using segue::testing::MetricValue;
using segue::testing::MetricValues;
using std::chrono::microseconds;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

const std::vector<std::string> kMethods = {"Retrieve", "BatchRetrieve",
                                           "SimilarItems", "DescribeItems"};
const std::vector<std::string> kCodes = {
    "OK",        "CANCELLED",          "INVALID_ARGUMENT", "DEADLINE_EXCEEDED",
    "NOT_FOUND", "RESOURCE_EXHAUSTED", "UNAVAILABLE",      "INTERNAL"};
const std::vector<std::string> kOutcomes = {
    "success",        "missing",       "not_allowed", "untrusted",
    "corrupt",        "incompatible",  "too_large",   "over_memory",
    "warm_up_failed", "wrong_answers", "error"};

std::string Requests(const std::string& method, const std::string& code) {
  return absl::StrCat("segue_requests_total{code=\"", code, "\",method=\"",
                      method, "\"}");
}
std::string Reloads(const std::string& outcome) {
  return absl::StrCat("segue_bundle_reloads_total{outcome=\"", outcome, "\"}");
}
std::string Total(const std::string& method) {
  return absl::StrCat("segue_request_duration_seconds_count{method=\"", method,
                      "\",stage=\"total\"}");
}

std::string Search(const std::string& series, const std::string& found_by,
                   const std::string& more = "") {
  return absl::StrCat("segue_request_duration_seconds_", series, "{found_by=\"",
                      found_by, "\",stage=\"search\"", more, "}");
}

TEST(MetricsTest, EverySeriesIs0FromTheStart) {
  std::set<std::string> expected = {
      "segue_request_duration_seconds_count{stage=\"embed\"}",
      "segue_embed_batch_queries_count",
      "segue_unknown_history_ids_total",
      "segue_shadow_overlap_count",
      "segue_shadow_score_shift_count",
      "segue_shadow_duration_seconds_count{bundle=\"live\"}",
      "segue_shadow_duration_seconds_count{bundle=\"shadow\"}",
      "segue_shadow_failed_total",
      "segue_shadow_dropped_total",
      "segue_queue_length",
      "segue_bundle_items",
      "segue_bundle_bytes",
      "segue_bundle_loaded_timestamp_seconds"};
  for (const char* way : {"index", "more_candidates", "cells", "exact"}) {
    expected.insert(Search("count", way));
  }
  for (const std::string& method : kMethods) {
    expected.insert(Total(method));
    for (const std::string& code : kCodes) {
      expected.insert(Requests(method, code));
    }
  }
  for (const std::string& outcome : kOutcomes) {
    expected.insert(Reloads(outcome));
  }
  const auto values = MetricValues(Metrics().Text());
  for (const std::string& series : expected) {
    ASSERT_EQ(values.count(series), 1u) << series;
    EXPECT_EQ(values.at(series), 0) << series;
  }
}

TEST(MetricsTest, FamiliesAreTheseAndOfTheseTypes) {
  std::vector<std::string> types;
  Metrics metrics;
  metrics.SetBundle("v", 1, 1);
  metrics.AddLiveHits("v");
  metrics.SetShadow("w");
  metrics.SetCertificateExpiry("grpc", {});
  std::istringstream text(metrics.Text());
  for (std::string line; std::getline(text, line);) {
    if (line.rfind("# TYPE ", 0) == 0) types.push_back(line.substr(7));
  }
  EXPECT_THAT(
      types,
      UnorderedElementsAre(
          "segue_requests_total counter",
          "segue_request_duration_seconds histogram",
          "segue_embed_batch_queries histogram", "segue_live_overlap histogram",
          "segue_live_overlap_dropped_total counter",
          "segue_live_hit_labels_total counter",
          "segue_live_hits_total counter", "segue_effort_raised_points gauge",
          "segue_shadow_overlap histogram",
          "segue_shadow_score_shift histogram",
          "segue_shadow_duration_seconds histogram",
          "segue_shadow_failed_total counter",
          "segue_shadow_dropped_total counter", "segue_shadow_info gauge",
          "segue_unknown_history_ids_total counter", "segue_queue_length gauge",
          "segue_requests_shed_total counter",
          "segue_connections_refused_total counter",
          "segue_tls_certificate_expiry_timestamp_seconds gauge",
          "segue_effort_lowered_total counter", "segue_bundle_info gauge",
          "segue_bundle_items gauge", "segue_bundle_bytes gauge",
          "segue_bundle_loaded_timestamp_seconds gauge",
          "segue_bundle_reloads_total counter",
          "process_cpu_seconds_total counter",
          "process_resident_memory_bytes gauge", "process_open_fds gauge",
          "process_max_fds gauge"));
}

// What changed but the process's own.
std::map<std::string, double> NonZeroRequests(Metrics& metrics) {
  std::map<std::string, double> found;
  for (const auto& [series, value] : MetricValues(metrics.Text())) {
    if (series.rfind("segue_requests_total", 0) == 0 && value != 0) {
      found[series] = value;
    }
  }
  return found;
}

TEST(MetricsTest, ACallIsCountedByMethodAndCode) {
  Metrics metrics;
  metrics.CountRequest(Method::kRetrieve, absl::StatusCode::kOk, {});
  metrics.CountRequest(Method::kRetrieve, absl::StatusCode::kOk, {});
  metrics.CountRequest(Method::kDescribeItems,
                       absl::StatusCode::kResourceExhausted, {});
  EXPECT_THAT(
      NonZeroRequests(metrics),
      UnorderedElementsAre(
          ::testing::Pair(Requests("Retrieve", "OK"), 2),
          ::testing::Pair(Requests("DescribeItems", "RESOURCE_EXHAUSTED"), 1)));
  EXPECT_EQ(MetricValue(metrics.Text(), Total("Retrieve")), 2);
  EXPECT_EQ(MetricValue(metrics.Text(), Total("DescribeItems")), 1);
}

TEST(MetricsTest, EveryMethodAndDocumentedCodeHasItsSeries) {
  Metrics metrics;
  const Method methods[] = {Method::kRetrieve, Method::kBatchRetrieve,
                            Method::kSimilarItems, Method::kDescribeItems};
  const absl::StatusCode codes[] = {absl::StatusCode::kOk,
                                    absl::StatusCode::kCancelled,
                                    absl::StatusCode::kInvalidArgument,
                                    absl::StatusCode::kDeadlineExceeded,
                                    absl::StatusCode::kNotFound,
                                    absl::StatusCode::kResourceExhausted,
                                    absl::StatusCode::kUnavailable,
                                    absl::StatusCode::kInternal};
  int times = 0;
  for (Method method : methods) {
    for (absl::StatusCode code : codes) {
      ++times;
      for (int i = 0; i < times; ++i) metrics.CountRequest(method, code, {});
    }
  }
  const auto values = MetricValues(metrics.Text());
  times = 0;
  for (const std::string& method : kMethods) {
    for (const std::string& code : kCodes) {
      EXPECT_EQ(values.at(Requests(method, code)), ++times) << method << code;
    }
  }
}

TEST(MetricsTest, CodesThatAreNotDocumentedCountAsInternal) {
  Metrics metrics;
  metrics.CountRequest(Method::kRetrieve, absl::StatusCode::kDataLoss, {});
  metrics.CountRequest(Method::kRetrieve, absl::StatusCode::kUnauthenticated,
                       {});
  metrics.CountRequest(Method::kRetrieve, static_cast<absl::StatusCode>(99),
                       {});
  EXPECT_THAT(NonZeroRequests(metrics),
              UnorderedElementsAre(
                  ::testing::Pair(Requests("Retrieve", "INTERNAL"), 3)));
}

TEST(MetricsTest, DurationsFallIntoBucketsOfSeconds) {
  Metrics metrics;
  metrics.ObserveSearch(v1::CELLS, microseconds(80));
  metrics.ObserveSearch(v1::CELLS, microseconds(700));
  metrics.ObserveSearch(v1::INDEX, microseconds(80));
  const auto bucket = [&](const std::string& le) {
    return MetricValue(
        metrics.Text(),
        Search("bucket", "cells", absl::StrCat(",le=\"", le, "\"")));
  };
  EXPECT_EQ(bucket("5e-05"), 0);
  EXPECT_EQ(bucket("0.0001"), 1);
  EXPECT_EQ(bucket("0.0005"), 1);
  EXPECT_EQ(bucket("0.001"), 2);
  EXPECT_EQ(bucket("+Inf"), 2);
}

TEST(MetricsTest, AForwardPassIsTimedOnceAndItsQueriesCounted) {
  Metrics metrics;
  metrics.ObserveEmbed(5, microseconds(80));
  const auto values = MetricValues(metrics.Text());
  EXPECT_EQ(values.at("segue_request_duration_seconds_count{stage=\"embed\"}"),
            1);
  EXPECT_EQ(values.at("segue_embed_batch_queries_sum"), 5);
  EXPECT_EQ(values.at("segue_embed_batch_queries_bucket{le=\"4\"}"), 0);
  EXPECT_EQ(values.at("segue_embed_batch_queries_bucket{le=\"8\"}"), 1);
}

TEST(MetricsTest, TheLiveVersionReplacesTheOneBefore) {
  Metrics metrics;
  EXPECT_THAT(metrics.Text(), Not(HasSubstr("segue_bundle_info{")));
  metrics.SetBundle("one", 10, 1000);
  metrics.SetBundle("two", 20, 2000);
  const auto values = MetricValues(metrics.Text());
  EXPECT_EQ(values.count("segue_bundle_info{version=\"one\"}"), 0u);
  EXPECT_EQ(values.at("segue_bundle_info{version=\"two\"}"), 1);
  EXPECT_EQ(values.at("segue_bundle_items"), 20);
  EXPECT_EQ(values.at("segue_bundle_bytes"), 2000);
  EXPECT_GT(values.at("segue_bundle_loaded_timestamp_seconds"), 1.6e9);
}

TEST(MetricsTest, AShadowIsNamedAsLongAsThereIsOne) {
  Metrics metrics;
  EXPECT_THAT(metrics.Text(), Not(HasSubstr("segue_shadow_info{")));
  metrics.SetShadow("one");
  metrics.SetShadow("two");
  EXPECT_THAT(metrics.Text(), Not(HasSubstr("version=\"one\"")));
  EXPECT_EQ(MetricValue(metrics.Text(), "segue_shadow_info{version=\"two\"}"),
            1);
  metrics.SetShadow("");
  EXPECT_THAT(metrics.Text(), Not(HasSubstr("segue_shadow_info{")));
}

TEST(MetricsTest, AShadowIsComparedWithTheLiveBundle) {
  Metrics metrics;
  metrics.ObserveShadow(.75, microseconds(80), microseconds(120));
  metrics.ObserveShadowShift(-.03);
  const auto values = MetricValues(metrics.Text());
  EXPECT_EQ(values.at("segue_shadow_overlap_sum"), .75);
  EXPECT_EQ(values.at("segue_shadow_score_shift_bucket{le=\"-0.05\"}"), 0);
  EXPECT_EQ(values.at("segue_shadow_score_shift_bucket{le=\"-0.02\"}"), 1);
  EXPECT_NEAR(values.at("segue_shadow_duration_seconds_sum{bundle=\"live\"}"),
              8e-5, 1e-12);
  EXPECT_NEAR(values.at("segue_shadow_duration_seconds_sum{bundle=\"shadow\"}"),
              1.2e-4, 1e-12);
}

TEST(MetricsTest, ReloadsAreCountedByOutcome) {
  Metrics metrics;
  for (int i = 0; i < static_cast<int>(kOutcomes.size()); ++i) {
    for (int times = 0; times <= i; ++times) {
      metrics.CountReload(static_cast<ReloadOutcome>(i));
    }
  }
  const auto values = MetricValues(metrics.Text());
  for (size_t i = 0; i < kOutcomes.size(); ++i) {
    EXPECT_EQ(values.at(Reloads(kOutcomes[i])), i + 1) << kOutcomes[i];
  }
}

TEST(MetricsTest, QueueLengthIsTheLastAndUnknownIdsAddUp) {
  Metrics metrics;
  metrics.SetQueueLength(7);
  metrics.SetQueueLength(3);
  metrics.CountUnknownHistory(2);
  metrics.CountUnknownHistory(0);
  metrics.CountUnknownHistory(5);
  EXPECT_EQ(MetricValue(metrics.Text(), "segue_queue_length"), 3);
  EXPECT_EQ(MetricValue(metrics.Text(), "segue_unknown_history_ids_total"), 7);
}

TEST(MetricsTest, TheProcessIsMeasured) {
  const auto values = MetricValues(Metrics().Text());
  EXPECT_GT(values.at("process_resident_memory_bytes"), 1e6);
  EXPECT_GE(values.at("process_open_fds"), 3);
  EXPECT_GT(values.at("process_max_fds"), values.at("process_open_fds"));
}

TEST(MetricsTest, CountsFromSeveralThreadsAddUpWhileTheTextIsRead) {
  constexpr int kThreads = 3, kCalls = 500;
  Metrics metrics;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kCalls; ++i) {
        metrics.CountRequest(Method::kRetrieve, absl::StatusCode::kOk, {});
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    metrics.SetBundle(absl::StrCat("v", i), i, i);
    EXPECT_LE(MetricValue(metrics.Text(), Requests("Retrieve", "OK")),
              kThreads * kCalls);
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(MetricValue(metrics.Text(), Requests("Retrieve", "OK")),
            kThreads * kCalls);
}

}  // namespace
}  // namespace segue
