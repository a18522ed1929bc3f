#include "core/metrics/ranking_metrics.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace segue {
namespace {

// SplitMix64 (Steele, Lea and Flood 2014): the standard's distributions differ
// from library to library, and a report must not.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  // In [0, n), 1 <= n < 2^32; the bias of the multiplication is below 2^-32.
  uint64_t Below(uint64_t n) { return ((Next() >> 32) * n) >> 32; }

 private:
  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  uint64_t state_;
};

double Discount(int64_t rank) {
  return 1 / std::log2(static_cast<double>(rank) + 2);
}

// Linear interpolation between the two nearest of the sorted values.
double Percentile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const size_t low = static_cast<size_t>(at);
  const size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] +
         (at - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

Estimate WithInterval(double mean, std::vector<double> samples) {
  if (samples.empty()) return {mean, mean, mean};
  std::sort(samples.begin(), samples.end());
  return {mean, Percentile(samples, 0.025), Percentile(samples, 0.975)};
}

// `visit` gets the column sums of `table` ([users, width]) when its users are
// drawn with replacement, `resamples` times.
void Resample(const std::vector<double>& table, size_t width, int32_t resamples,
              uint64_t seed,
              const std::function<void(const std::vector<double>&)>& visit) {
  const size_t users = table.size() / width;
  if (users == 0) return;
  Random random(seed);
  std::vector<double> sums(width);
  for (int32_t sample = 0; sample < resamples; ++sample) {
    std::fill(sums.begin(), sums.end(), 0.0);
    for (size_t draw = 0; draw < users; ++draw) {
      const double* row = table.data() + random.Below(users) * width;
      for (size_t i = 0; i < width; ++i) sums[i] += row[i];
    }
    visit(sums);
  }
}

std::vector<double> ColumnSums(const std::vector<double>& table, size_t width) {
  std::vector<double> sums(width, 0.0);
  for (size_t i = 0; i < table.size(); ++i) sums[i % width] += table[i];
  return sums;
}

double Ratio(double numerator, double denominator) {
  return denominator == 0 ? 1 : numerator / denominator;
}

}  // namespace

RankingMetrics::RankingMetrics(std::vector<int32_t> ks) : ks_(std::move(ks)) {
  std::sort(ks_.begin(), ks_.end());
  ks_.erase(std::unique(ks_.begin(), ks_.end()), ks_.end());
}

double* RankingMetrics::SumsOf(int32_t user) {
  const auto [place, is_new] =
      users_.emplace(user, static_cast<int64_t>(users_.size()));
  if (is_new) sums_.resize(sums_.size() + Width(), 0.0);
  return sums_.data() + place->second * Width();
}

void RankingMetrics::Add(int32_t user, int64_t rank) {
  Add(user, absl::MakeConstSpan(&rank, 1), /*relevant=*/1);
}

void RankingMetrics::Add(int32_t user, absl::Span<const int64_t> ranks,
                         int64_t relevant) {
  double* sums = SumsOf(user);
  const size_t n = ks_.size();
  for (size_t i = 0; i < n; ++i) {
    int64_t found = 0;
    double gain = 0, best = 0;
    for (int64_t rank : ranks) {
      if (rank < 0 || rank >= ks_[i]) continue;
      ++found;
      gain += Discount(rank);
    }
    for (int64_t rank = 0; rank < std::min<int64_t>(relevant, ks_[i]); ++rank) {
      best += Discount(rank);
    }
    sums[i] += static_cast<double>(found) / static_cast<double>(relevant);
    sums[n + i] += gain / best;
    sums[2 * n + i] += found > 0 ? 1 : 0;
  }
  int64_t first = ks_.back();
  for (int64_t rank : ranks) {
    if (rank >= 0) first = std::min(first, rank);
  }
  if (first < ks_.back()) sums[3 * n] += 1 / (static_cast<double>(first) + 1);
  sums[3 * n + 1] += 1;
}

RankingReport RankingMetrics::Summarize(int32_t resamples,
                                        uint64_t seed) const {
  RankingReport report;
  const size_t width = Width();
  const size_t figures = width - 1;
  const std::vector<double> totals = ColumnSums(sums_, width);
  report.users = static_cast<int64_t>(users_.size());
  report.queries = std::llround(totals[figures]);
  std::vector<std::vector<double>> samples(figures);
  Resample(sums_, width, resamples, seed,
           [&](const std::vector<double>& drawn) {
             for (size_t i = 0; i < figures; ++i) {
               samples[i].push_back(drawn[i] / drawn[figures]);
             }
           });
  const auto estimate = [&](size_t i) {
    const double mean = report.queries == 0 ? 0 : totals[i] / totals[figures];
    return WithInterval(mean, std::move(samples[i]));
  };
  const size_t n = ks_.size();
  for (size_t i = 0; i < n; ++i) {
    report.recall[ks_[i]] = estimate(i);
    report.ndcg[ks_[i]] = estimate(n + i);
    report.hit_rate[ks_[i]] = estimate(2 * n + i);
  }
  report.reciprocal_rank = estimate(3 * n);
  return report;
}

Estimate RecallRatio(const RankingMetrics& found, const RankingMetrics& exact,
                     int32_t k, int32_t resamples, uint64_t seed) {
  const auto column = [k](const RankingMetrics& metrics) {
    return std::lower_bound(metrics.ks_.begin(), metrics.ks_.end(), k) -
           metrics.ks_.begin();
  };
  const auto found_column = column(found);
  const auto exact_column = column(exact);
  std::vector<double> pairs;  // [users, 2], in the order of user numbers
  for (const auto& [user, place] : exact.users_) {
    const auto there = found.users_.find(user);
    if (there == found.users_.end()) continue;
    pairs.push_back(found.sums_[there->second * found.Width() + found_column]);
    pairs.push_back(exact.sums_[place * exact.Width() + exact_column]);
  }
  const std::vector<double> totals = ColumnSums(pairs, 2);
  std::vector<double> samples;
  Resample(pairs, 2, resamples, seed, [&](const std::vector<double>& drawn) {
    samples.push_back(Ratio(drawn[0], drawn[1]));
  });
  return WithInterval(Ratio(totals[0], totals[1]), std::move(samples));
}

int64_t RankOf(absl::Span<const int32_t> rows, int32_t target) {
  const auto at = std::find(rows.begin(), rows.end(), target);
  return at == rows.end() ? -1 : at - rows.begin();
}

}  // namespace segue
