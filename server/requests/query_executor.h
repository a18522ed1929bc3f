// What a worker does with the jobs that it took: resolve, embed together,
// search each, answer.
#ifndef SEGUE_SERVER_REQUESTS_QUERY_EXECUTOR_H_
#define SEGUE_SERVER_REQUESTS_QUERY_EXECUTOR_H_

#include "absl/types/span.h"
#include "server/lifecycle/snapshot_holder.h"
#include "server/metrics/metrics.h"
#include "server/quality/live_hits.h"
#include "server/quality/live_overlap.h"
#include "server/quality/shadow_traffic.h"
#include "server/queue/job.h"

namespace segue {

// Who looks at what was answered. Borrowed.
struct AnswerObservers {
  LiveOverlap& live_overlap;
  LiveHits& live_hits;
  ShadowTraffic& shadow_traffic;
};

// Stateless but for what it borrows, which outlives it. Any thread; each call
// runs on the calling one.
class QueryExecutor {
 public:
  struct Options {
    int max_batch = 1;  // queries of one forward pass
    // What searches that name no effort find, at least, while the server is
    // pressed, if that is less than the bundle was tuned for; 0: nothing
    // changes.
    double pressed_overlap = 0;
  };
  QueryExecutor(const SnapshotHolder& snapshots, Metrics& metrics,
                const AnswerObservers& observers, const Options& options)
      : snapshots_(snapshots),
        metrics_(metrics),
        observers_(observers),
        options_(options) {}

  // Completes each job: those that name no version by one snapshot, the live
  // one, others by theirs. Unavailable where nothing serves yet, NotFound where
  // the version is not held. One that is cancelled or late, then or between the
  // stages, costs nothing more. A job fails for its own faults only: where a
  // forward pass of several fails, each is tried alone.
  void Execute(absl::Span<Job* const> jobs, bool pressed = false) const;

 private:
  void ExecuteBy(const SnapshotPtr& snapshot, absl::Span<Job* const> jobs,
                 bool pressed) const;

  const SnapshotHolder& snapshots_;
  Metrics& metrics_;
  const AnswerObservers observers_;
  const Options options_;
};

}  // namespace segue

#endif  // SEGUE_SERVER_REQUESTS_QUERY_EXECUTOR_H_
