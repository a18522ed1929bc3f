#include "server/metrics/histogram.h"

#include <algorithm>
#include <limits>

namespace segue {
namespace {

// Threads are numbered as they first come here.
size_t NumberOfThread() {
  static std::atomic<size_t> next{0};
  thread_local const size_t number = next.fetch_add(1);
  return number;
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds) : bounds_(std::move(bounds)) {}

void Histogram::Observe(double value) {
  Part& part = parts_[NumberOfThread() % parts_.size()];
  const size_t bucket =
      std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  part.counts[bucket].fetch_add(1, std::memory_order_relaxed);
  part.sum.fetch_add(value, std::memory_order_relaxed);
}

prometheus::ClientMetric::Histogram Histogram::Collect() const {
  prometheus::ClientMetric::Histogram collected;
  for (size_t bucket = 0; bucket <= bounds_.size(); ++bucket) {
    for (const Part& part : parts_) {
      collected.sample_count +=
          part.counts[bucket].load(std::memory_order_relaxed);
    }
    collected.bucket.push_back(
        {.cumulative_count = collected.sample_count,
         .upper_bound = bucket < bounds_.size()
                            ? bounds_[bucket]
                            : std::numeric_limits<double>::infinity()});
  }
  for (const Part& part : parts_) {
    collected.sample_sum += part.sum.load(std::memory_order_relaxed);
  }
  return collected;
}

Histogram& HistogramFamily::Add(
    const std::map<std::string, std::string>& labels,
    std::vector<double> bounds) {
  std::vector<prometheus::ClientMetric::Label> all;
  for (const auto& [name, value] : labels) all.push_back({name, value});
  return members_.emplace_back(std::move(all), std::move(bounds)).histogram;
}

prometheus::MetricFamily HistogramFamily::Collect() const {
  prometheus::MetricFamily family{
      name_, help_, prometheus::MetricType::Histogram, {}};
  for (const Member& member : members_) {
    prometheus::ClientMetric& metric = family.metric.emplace_back();
    metric.label = member.label;
    metric.histogram = member.histogram.Collect();
  }
  return family;
}

}  // namespace segue
