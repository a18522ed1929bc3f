// Histograms that a request observes without a lock.
#ifndef SEGUE_SERVER_METRICS_HISTOGRAM_H_
#define SEGUE_SERVER_METRICS_HISTOGRAM_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "prometheus/client_metric.h"
#include "prometheus/metric_family.h"

namespace segue {

// prometheus::Histogram holds a mutex while it counts, and workers that finish
// together would wait for one another. Here each thread counts in a part of its
// own (two, where there are more threads than parts), and who reads adds them
// up: counts are exact, though a sum may be of a moment later.
class Histogram {
 public:
  static constexpr int kMostBounds = 18;

  // REQUIRES: 1 to kMostBounds upper bounds, included, ascending.
  explicit Histogram(std::vector<double> bounds);

  // Any thread.
  void Observe(double value);
  prometheus::ClientMetric::Histogram Collect() const;

 private:
  // Cache lines of its own.
  struct alignas(64) Part {
    std::array<std::atomic<uint64_t>, kMostBounds + 1> counts{};
    std::atomic<double> sum{0};
  };

  const std::vector<double> bounds_;
  std::array<Part, 16> parts_;
};

// Those of one name.
class HistogramFamily {
 public:
  HistogramFamily(std::string name, std::string help)
      : name_(std::move(name)), help_(std::move(help)) {}

  // Before the first Collect(). The histogram lives as long as this.
  Histogram& Add(const std::map<std::string, std::string>& labels,
                 std::vector<double> bounds);
  prometheus::MetricFamily Collect() const;

 private:
  struct Member {
    Member(std::vector<prometheus::ClientMetric::Label> labels,
           std::vector<double> bounds)
        : label(std::move(labels)), histogram(std::move(bounds)) {}
    const std::vector<prometheus::ClientMetric::Label> label;
    Histogram histogram;
  };

  const std::string name_, help_;
  std::deque<Member> members_;
};

}  // namespace segue

#endif  // SEGUE_SERVER_METRICS_HISTOGRAM_H_
