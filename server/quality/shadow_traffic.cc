#include "server/quality/shadow_traffic.h"

#include <chrono>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/metrics/overlap.h"
#include "core/retrieval/retriever.h"
#include "server/base/log.h"
#include "server/base/process.h"

namespace segue {
namespace {

// A burst; a copy is at most a message of max_message_bytes.
constexpr size_t kMostWaiting = 16;

struct Answered {
  v1::RetrieveResponse response;
  std::chrono::duration<double> took{};  // to embed and search
};

absl::StatusOr<Answered> Answer(const ServingSnapshot& snapshot,
                                const v1::RetrieveRequest& request) {
  ASSIGN_OR_RETURN(const ResolvedQuery query, ResolveQuery(snapshot, request));
  const auto begin = ThreadTime();
  std::vector<float> vector;
  RETURN_IF_ERROR(EmbedQueries(snapshot, {&query}, vector));
  Answered answered;
  RETURN_IF_ERROR(
      SearchAndFill(snapshot, vector, query, answered.response).status());
  answered.took = ThreadTime() - begin;
  return answered;
}

// How two answers to one query differ.
struct Difference {
  double overlap = 0;
  int shared = 0;    // items
  double shift = 0;  // of the score, in the mean over these
};

Difference DifferenceOf(const v1::RetrieveResponse& live,
                        const v1::RetrieveResponse& shadow) {
  std::unordered_map<std::string_view, int32_t> places;
  std::vector<int32_t> expected, found;
  for (int32_t i = 0; i < live.item_ids_size(); ++i) {
    places.emplace(live.item_ids(i), i);
    expected.push_back(i);
  }
  Difference difference;
  for (int32_t i = 0; i < shadow.item_ids_size(); ++i) {
    const auto place = places.find(shadow.item_ids(i));
    const bool both = place != places.end();
    found.push_back(both ? place->second : -1 - i);
    if (!both) continue;
    ++difference.shared;
    difference.shift += shadow.scores(i) - live.scores(place->second);
  }
  if (difference.shared > 0) difference.shift /= difference.shared;
  difference.overlap = OverlapAtK(expected, found, live.item_ids_size());
  return difference;
}

}  // namespace

ShadowTraffic::ShadowTraffic(double processor, Metrics& metrics)
    : metrics_(metrics),
      work_({.most_waiting = kMostWaiting, .processor = processor}) {}

void ShadowTraffic::BeginAnew() {
  ++comparison_;
  sums_ = {};
}

void ShadowTraffic::SetLive(const std::string& version) {
  {
    MutexLock lock(mu_);
    live_version_ = version;
    BeginAnew();
  }
  work_.Clear();
}

void ShadowTraffic::SetShadow(const SnapshotPtr& shadow, double share) {
  share_ = shadow == nullptr ? 0 : share;
  {
    MutexLock lock(mu_);
    if (shadow == shadow_) return;
    shadow_ = shadow;
    BeginAnew();
  }
  metrics_.SetShadow(VersionOf(shadow));
  work_.Clear();
}

void ShadowTraffic::Offer(const SnapshotPtr& live,
                          const v1::RetrieveRequest& request) {
  if (!offered_.Takes(share_.load(std::memory_order_relaxed))) return;
  Copy copy;
  {
    MutexLock lock(mu_);
    if (shadow_ == nullptr || live->version != live_version_) return;
    copy.live = live;
    copy.shadow = shadow_;
    copy.comparison = comparison_;
  }
  // Copied where it is not dropped at once, and outside of the lock.
  if (work_.HasRoom()) {
    copy.request = request;
    if (work_.Push([this, copy = std::move(copy)] { Compare(copy); })) return;
  }
  metrics_.CountShadowDropped();
  MutexLock lock(mu_);
  ++sums_.dropped;
}

bool ShadowTraffic::IsOver(const Copy& copy) const {
  MutexLock lock(mu_);
  return copy.comparison != comparison_;
}

void ShadowTraffic::Compare(const Copy& copy) {
  if (IsOver(copy)) return;
  absl::StatusOr<Answered> live, shadow;
  live_first_ = !live_first_;
  if (live_first_) live = Answer(*copy.live, copy.request);
  shadow = Answer(*copy.shadow, copy.request);
  if (!live_first_) live = Answer(*copy.live, copy.request);
  if (!shadow.ok()) {
    Fail(copy, shadow.status());
    return;
  }
  // It did answer it before.
  if (!live.ok()) return;
  const Difference difference = DifferenceOf(live->response, shadow->response);
  MutexLock lock(mu_);
  if (copy.comparison != comparison_) return;
  metrics_.ObserveShadow(difference.overlap, live->took, shadow->took);
  ++sums_.queries;
  sums_.overlap += difference.overlap;
  sums_.live_seconds += live->took.count();
  sums_.shadow_seconds += shadow->took.count();
  if (difference.shared == 0) return;
  metrics_.ObserveShadowShift(difference.shift);
  ++sums_.shifts;
  sums_.shift += difference.shift;
}

void ShadowTraffic::Fail(const Copy& copy, const absl::Status& why) {
  bool first = false;
  {
    MutexLock lock(mu_);
    if (copy.comparison != comparison_) return;
    metrics_.CountShadowFailed();
    first = sums_.failed++ == 0;
    sums_.last_failure = std::string(why.message());
  }
  if (!first) return;
  // The message may have values of the request, which no log has.
  LogWarning(absl::StrCat("shadow ", copy.shadow->version,
                          " does not answer what the live bundle does: ",
                          absl::StatusCodeToString(why.code()),
                          "; admin status tells of the last"));
}

std::optional<v1::ShadowStatus> ShadowTraffic::status() const {
  MutexLock lock(mu_);
  if (shadow_ == nullptr) return std::nullopt;
  v1::ShadowStatus status;
  status.set_version(shadow_->version);
  status.set_share(share_);
  status.set_queries(sums_.queries);
  status.set_failed(sums_.failed);
  status.set_last_failure(sums_.last_failure);
  status.set_dropped(sums_.dropped);
  if (sums_.queries > 0) {
    const auto n = static_cast<double>(sums_.queries);
    status.set_mean_overlap(sums_.overlap / n);
    status.set_mean_live_ms(1e3 * sums_.live_seconds / n);
    status.set_mean_shadow_ms(1e3 * sums_.shadow_seconds / n);
  }
  if (sums_.shifts > 0) {
    status.set_mean_score_shift(sums_.shift /
                                static_cast<double>(sums_.shifts));
  }
  return status;
}

}  // namespace segue
