// What a worker does with the jobs that it took: resolve, embed together,
// search each, answer.
#ifndef SEGUE_SERVER_QUERY_EXECUTOR_H_
#define SEGUE_SERVER_QUERY_EXECUTOR_H_

#include "absl/types/span.h"
#include "server/job.h"
#include "server/lifecycle/snapshot_holder.h"
#include "server/live_overlap.h"
#include "server/metrics.h"
#include "server/shadow_traffic.h"

namespace segue {

// Stateless but for what it borrows, which outlives it. Any thread; each call
// runs on the calling one.
class QueryExecutor {
 public:
  // `max_batch`: queries of one forward pass.
  QueryExecutor(const SnapshotHolder& snapshots, Metrics& metrics,
                LiveOverlap& live_overlap, ShadowTraffic& shadow_traffic,
                int max_batch)
      : snapshots_(snapshots),
        metrics_(metrics),
        live_overlap_(live_overlap),
        shadow_traffic_(shadow_traffic),
        max_batch_(max_batch) {}

  // Completes each job: those that name no version by one snapshot, the live
  // one, others by theirs. Unavailable where nothing serves yet, NotFound where
  // the version is not held. One that is cancelled or late, then or between the
  // stages, costs nothing more. A job fails for its own faults only: where a
  // forward pass of several fails, each is tried alone.
  void Execute(absl::Span<Job* const> jobs) const;

 private:
  void ExecuteBy(SnapshotPtr snapshot, absl::Span<Job* const> jobs) const;

  const SnapshotHolder& snapshots_;
  Metrics& metrics_;
  LiveOverlap& live_overlap_;
  ShadowTraffic& shadow_traffic_;
  const int max_batch_;
};

}  // namespace segue

#endif  // SEGUE_SERVER_QUERY_EXECUTOR_H_
