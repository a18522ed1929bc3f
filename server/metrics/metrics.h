// What the server counts, and its text for Prometheus. README.md lists it.
#ifndef SEGUE_SERVER_METRICS_METRICS_H_
#define SEGUE_SERVER_METRICS_METRICS_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/registry.h"
#include "segue/v1/retrieval.pb.h"
#include "server/metrics/histogram.h"
#include "server/queue/admission.h"

namespace segue {

enum class Method { kRetrieve, kBatchRetrieve, kSimilarItems, kDescribeItems };
// As the service calls it; lives for ever.
absl::string_view MethodName(Method method);

// What a query passes on its way, but for the search itself, which is told
// apart by how it found its answer.
enum class Stage {
  kDecode,   // a call's bytes become a request
  kQueue,    // it waits for a worker
  kResolve,  // ids become rows, features are filled in
  kFilter,   // a filter becomes rows
  kEmbed,    // one forward pass
  kRefine,   // of a search: candidates are scored again
  kEncode,   // an answer becomes bytes
};

// How an attempt to load a bundle ended.
enum class ReloadOutcome {
  kSuccess,
  kMissing,       // no CURRENT, or not the folder that it names
  kNotAllowed,    // CURRENT names what is denied, or leads back
  kUntrusted,     // no key of trusted_keys_file has signed it, or that is none
  kCorrupt,       // bytes that are not those that were published
  kIncompatible,  // files that do not fit each other or this server
  kTooLarge,      // over max_bundle_bytes
  kOverMemory,    // would be over max_memory_bytes
  kWarmUpFailed,  // loads, but does not answer
  kWrongAnswers,  // answers golden requests otherwise than it should
  kError,         // anything else: the system's errors
};

// As segue_bundle_reloads_total calls it; lives for ever.
absl::string_view OutcomeName(ReloadOutcome outcome);

// Of a request's filter: the share of the items that it leaves.
enum class FilterClass { kNone, kTenPercent, kOnePercent, kOnePerMille, kLess };

// Of live hit@k.
inline constexpr std::array<int, 2> kLiveHitKs = {10, 100};
// Of the answers of one version, by kLiveHitKs.
struct LiveHitCounters {
  std::array<prometheus::Counter*, 2> labels{}, hits{};
};

// Owns every series. All but those of a version exist from the start, at 0, so
// that rates have a beginning. Any thread; SetBundle() and SetShadow() from
// one. What requests call takes no lock.
class Metrics {
 public:
  using Seconds = std::chrono::duration<double>;

  Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // A finished call: counted by its code, timed from its arrival.
  void CountRequest(Method method, absl::StatusCode code, Seconds took);
  // One forward pass of the query tower over `queries` rows.
  void ObserveEmbed(int queries, Seconds took);
  // One search that answered, its refinement included, and how.
  void ObserveSearch(v1::FoundBy by, Seconds took);
  // The share of its exact answer that one had.
  void ObserveLiveOverlap(FilterClass filter, double overlap) {
    live_overlap_[static_cast<int>(filter)]->Observe(overlap);
  }
  void CountLiveOverlapDropped() { live_overlap_dropped_->Increment(); }
  void SetEffortRaised(int points) { effort_raised_->Set(points); }
  // Both take a lock, from one thread at a time; nobody counts by what was
  // removed.
  LiveHitCounters AddLiveHits(const std::string& version);
  void RemoveLiveHits(const LiveHitCounters& counters);
  // A query that live bundle and shadow answered: the share of the live items
  // that the shadow has, and the processor time of each.
  void ObserveShadow(double overlap, Seconds live, Seconds shadow);
  // How much more the shadow scores the items of both.
  void ObserveShadowShift(double shift) { shadow_shift_->Observe(shift); }
  void CountShadowFailed() { shadow_failed_->Increment(); }
  void CountShadowDropped() { shadow_dropped_->Increment(); }
  // Empty: there is none.
  void SetShadow(const std::string& version);
  void ObserveStage(Stage stage, Seconds took) {
    stage_seconds_[static_cast<int>(stage)]->Observe(took.count());
  }
  void CountUnknownHistory(int ids) { unknown_history_->Increment(ids); }
  void CountShed(Shed why) { shed_[static_cast<int>(why)]->Increment(); }
  // A search that found less because the server is pressed.
  void CountLowered() { lowered_->Increment(); }
  // One whom no descriptor was left for.
  void CountConnectionRefused() { connections_refused_->Increment(); }
  // Of the certificate that a listener shows from now on.
  void SetCertificateExpiry(const std::string& listener,
                            std::chrono::sys_seconds expires) {
    certificate_expiry_->Add({{"listener", listener}})
        .Set(static_cast<double>(expires.time_since_epoch().count()));
  }
  void SetQueueLength(int queries) { queue_length_->Set(queries); }

  // The live bundle; the series of the one before is removed.
  void SetBundle(const std::string& version, int64_t items, uint64_t bytes);
  // Nothing serves any more.
  void ClearBundle();
  void CountReload(ReloadOutcome outcome);

  // Text format 0.0.4 of all series, the process's own measured now.
  std::string Text();

 private:
  void AddShadowSeries();

  static constexpr int kMethods = 4;
  static constexpr int kCodes = 17;
  static constexpr int kOutcomes = static_cast<int>(ReloadOutcome::kError) + 1;
  static constexpr int kWays = 4;  // of v1::FoundBy
  static constexpr int kStages = 7;
  static constexpr int kFilterClasses = 5;
  static constexpr int kSheds = 2;

  prometheus::Registry registry_;  // but for these:
  HistogramFamily seconds_, embed_batch_, overlap_, shadow_overlaps_,
      shadow_shifts_, shadow_seconds_;
  std::array<std::array<prometheus::Counter*, kCodes>, kMethods> requests_{};
  std::array<Histogram*, kStages> stage_seconds_{};
  std::array<Histogram*, kWays> search_seconds_{};
  std::array<Histogram*, kMethods> total_seconds_{};
  Histogram* embed_queries_;
  prometheus::Counter* unknown_history_;
  std::array<prometheus::Counter*, kSheds> shed_{};
  prometheus::Counter* lowered_;
  prometheus::Counter* connections_refused_;
  prometheus::Family<prometheus::Gauge>* certificate_expiry_;
  std::array<Histogram*, kFilterClasses> live_overlap_{};
  prometheus::Counter* live_overlap_dropped_;
  prometheus::Family<prometheus::Counter>*live_hit_labels_, *live_hits_;
  prometheus::Gauge* effort_raised_;
  Histogram* shadow_overlap_;
  Histogram* shadow_shift_;
  Histogram* compared_live_;
  Histogram* compared_shadow_;
  prometheus::Counter* shadow_failed_;
  prometheus::Counter* shadow_dropped_;
  prometheus::Family<prometheus::Gauge>* shadow_info_;
  prometheus::Gauge* shadow_ = nullptr;
  prometheus::Gauge* queue_length_;
  prometheus::Family<prometheus::Gauge>* bundle_info_;
  prometheus::Gauge* live_bundle_ = nullptr;
  prometheus::Gauge* bundle_items_;
  prometheus::Gauge* bundle_bytes_;
  prometheus::Gauge* bundle_loaded_at_;
  std::array<prometheus::Counter*, kOutcomes> reloads_{};
  prometheus::Counter* cpu_seconds_;
  prometheus::Gauge* resident_bytes_;
  prometheus::Gauge *open_descriptors_, *max_descriptors_;
};

}  // namespace segue

#endif  // SEGUE_SERVER_METRICS_METRICS_H_
