// Watches how much of the exact answer live answers have.
#ifndef SEGUE_SERVER_QUALITY_LIVE_OVERLAP_H_
#define SEGUE_SERVER_QUALITY_LIVE_OVERLAP_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "core/base/mutex.h"
#include "core/retrieval/retriever.h"
#include "core/retrieval/serving_snapshot.h"
#include "server/base/background_work.h"
#include "server/base/even_sample.h"
#include "server/base/log.h"
#include "server/metrics/metrics.h"
#include "server/quality/effort_control.h"

namespace segue {

// Takes a share of the answered searches, with their filters and exclusions,
// and searches them once more, scoring everything, in the background
// (BackgroundWork). Samples that come faster than that are dropped, and
// counted. "Exact" is by the best codes of the index: what rounding them lost
// is in the bundle's report.
//
// Any thread.
class LiveOverlap {
 public:
  struct Options {
    double share = 0;        // of the answered searches; 0: off
    double processor = 0;    // share of one, above 0
    double min_overlap = 0;  // the objective (effort_control.h); 0: none
  };
  LiveOverlap(const Options& options, Metrics& metrics);
  LiveOverlap(const LiveOverlap&) = delete;
  LiveOverlap& operator=(const LiveOverlap&) = delete;

  // Another bundle serves from now on; what is left of the one before is
  // dropped.
  void Begin(const ServingSnapshot& snapshot);
  // None serves from now on.
  void End();
  // How many points searches of the bundle are raised above its target.
  int32_t raised(const ServingSnapshot& snapshot) const;
  // A search that was answered. Answers with rules of diversity are not those
  // of a search, and are not taken.
  void Offer(const std::shared_ptr<const ServingSnapshot>& snapshot,
             absl::Span<const float> vector, const ResolvedQuery& query,
             const Found& found);
  // Ends the thread; nothing is taken afterwards.
  void Stop() { work_.Stop(); }

 private:
  struct Sample {
    std::shared_ptr<const ServingSnapshot> snapshot;
    std::vector<float> vector;
    ResolvedQuery query;
    Found found;
  };
  void Measure(const Sample& sample);
  void Control(const Sample& sample, double overlap);
  // What the log says of it; empty: nothing.
  struct Change {
    LogLevel level = LogLevel::kInfo;
    std::string says;
  };
  Change Decide(const Sample& sample, const LiveSample& measured);
  // Whether the next sample is to be taken; counts it.
  bool Takes(const ServingSnapshot& snapshot);

  const Options options_;
  Metrics& metrics_;
  mutable Mutex mu_;
  std::string version_ ABSL_GUARDED_BY(mu_);
  EvenSample offered_;
  EffortControl control_ ABSL_GUARDED_BY(mu_);
  bool at_most_ ABSL_GUARDED_BY(mu_) = false;  // and said so
  BackgroundWork work_;
};

}  // namespace segue

#endif  // SEGUE_SERVER_QUALITY_LIVE_OVERLAP_H_
