#include "server/quality/live_overlap.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "core/metrics/overlap.h"
#include "server/base/log.h"

namespace segue {
namespace {

// A few: each keeps its bundle in memory, and an old one is of no use.
constexpr size_t kMostWaiting = 8;

FilterClass ClassOf(const ServingSnapshot& snapshot, const ResolvedQuery& query,
                    const Found& found) {
  if (!query.allowed.has_value()) return FilterClass::kNone;
  const double share = static_cast<double>(found.allowed) /
                       static_cast<double>(snapshot.items.size());
  if (share >= 0.1) return FilterClass::kTenPercent;
  if (share >= 0.01) return FilterClass::kOnePercent;
  if (share >= 0.001) return FilterClass::kOnePerMille;
  return FilterClass::kLess;
}

}  // namespace

LiveOverlap::LiveOverlap(const Options& options, Metrics& metrics)
    : options_(options),
      metrics_(metrics),
      control_(options.min_overlap),
      work_({.most_waiting = kMostWaiting, .processor = options.processor}) {}

void LiveOverlap::Begin(const ServingSnapshot& snapshot) {
  {
    MutexLock lock(mu_);
    version_ = snapshot.version;
    control_.Reset();
    at_most_ = false;
    metrics_.SetEffortRaised(0);
  }
  work_.Clear();
}

void LiveOverlap::End() {
  {
    MutexLock lock(mu_);
    version_.clear();
  }
  work_.Clear();
}

int32_t LiveOverlap::raised(const ServingSnapshot& snapshot) const {
  if (options_.min_overlap <= 0) return 0;
  MutexLock lock(mu_);
  return snapshot.version == version_ ? control_.raised() : 0;
}

bool LiveOverlap::Takes(const ServingSnapshot& snapshot) {
  if (!offered_.Takes(options_.share)) return false;
  MutexLock lock(mu_);
  return snapshot.version == version_;
}

void LiveOverlap::Offer(const std::shared_ptr<const ServingSnapshot>& snapshot,
                        absl::Span<const float> vector,
                        const ResolvedQuery& query, const Found& found) {
  if (!query.diversity.empty()) return;
  if (!Takes(*snapshot)) return;
  // Copied where it is not dropped at once.
  if (!work_.HasRoom() ||
      !work_.Push(
          [this, sample = Sample{.snapshot = snapshot,
                                 .vector = {vector.begin(), vector.end()},
                                 .query = query,
                                 .found = found}] { Measure(sample); })) {
    metrics_.CountLiveOverlapDropped();
  }
}

void LiveOverlap::Measure(const Sample& sample) {
  const FilterClass filter =
      ClassOf(*sample.snapshot, sample.query, sample.found);
  if (sample.found.by == FoundBy::kExact) {
    metrics_.ObserveLiveOverlap(filter, 1);
    return;
  }
  SearchOptions options = OptionsOf(*sample.snapshot, sample.query);
  options.exact = true;
  const auto exact = sample.snapshot->index->Search(sample.vector, options);
  if (!exact.ok()) {
    LogError(absl::StrFormat("live overlap: the exact search failed: %s",
                             exact.status().message()));
    return;
  }
  const double overlap =
      OverlapAtK(RowsOf(exact->neighbors), RowsOf(sample.found.neighbors),
                 sample.query.top_k);
  metrics_.ObserveLiveOverlap(filter, overlap);
  Control(sample, overlap);
}

void LiveOverlap::Control(const Sample& sample, double overlap) {
  // Nothing to raise, or not what decides about it.
  if (sample.snapshot->efforts.empty() || sample.query.own_effort ||
      sample.query.lowered) {
    return;
  }
  const auto expected = [&](int32_t raised) {
    return raised < 0
               ? sample.query.expected_overlap
               : DefaultEffort(*sample.snapshot, sample.query, raised).overlap;
  };
  const LiveSample measured = {
      .overlap = overlap,
      .expected = expected(sample.query.raised),
      .expected_lower = expected(sample.query.raised - 1),
      .expected_higher = expected(sample.query.raised + 1)};
  const Change change = Decide(sample, measured);
  if (change.says.empty()) return;
  // Without the lock: whoever reads the log may be slow.
  Log(change.level, change.says);
}

LiveOverlap::Change LiveOverlap::Decide(const Sample& sample,
                                        const LiveSample& measured) {
  MutexLock lock(mu_);
  if (sample.snapshot->version != version_ ||
      sample.query.raised != control_.raised()) {
    return {};
  }
  const EffortControl::Decision decision = control_.Observe(measured);
  if (decision == EffortControl::Decision::kNone) return {};
  metrics_.SetEffortRaised(control_.raised());
  const bool at_most = decision == EffortControl::Decision::kAtMost;
  if (std::exchange(at_most_, at_most) && at_most) return {};
  const char* what =
      at_most ? "there is no greater effort; build the index anew"
      : decision == EffortControl::Decision::kRaised ? "effort raised"
                                                     : "effort lowered";
  return {.level = decision == EffortControl::Decision::kLowered
                       ? LogLevel::kInfo
                       : LogLevel::kWarning,
          .says = absl::StrFormat(
              "live overlap %.4f over %d answers, min_live_overlap %.4f: %s; "
              "searches are %d points above the bundle's target",
              control_.mean(), EffortControl::kWindow, options_.min_overlap,
              what, control_.raised())};
}

}  // namespace segue
