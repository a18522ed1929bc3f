// What a version that does not serve would have answered.
#ifndef SEGUE_SERVER_QUALITY_SHADOW_TRAFFIC_H_
#define SEGUE_SERVER_QUALITY_SHADOW_TRAFFIC_H_

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "core/base/mutex.h"
#include "segue/v1/admin.pb.h"
#include "segue/v1/retrieval.pb.h"
#include "server/base/background_work.h"
#include "server/base/even_sample.h"
#include "server/lifecycle/snapshot_holder.h"
#include "server/metrics/metrics.h"

namespace segue {

// Copies a share of the answered queries, answers each in the background
// (BackgroundWork) with the shadow and once more with the live bundle, and
// compares: like with like, since a request's own time would be that of warm
// caches and of a forward pass that it shares. Which of the two begins, and
// warms up the other, takes turns. Copies that come faster than that are
// dropped, and counted.
//
// Holds the shadow until SetShadow() names another, or none; a copy under way
// holds both bundles a little longer. Any thread; SetLive() and SetShadow()
// from one.
class ShadowTraffic {
 public:
  // `processor`: the share of one that this may take, above 0.
  ShadowTraffic(double processor, Metrics& metrics);

  // What serves from now on; empty: nothing. Comparing begins anew.
  void SetLive(const std::string& version) ABSL_LOCKS_EXCLUDED(mu_);
  // Gets `share`, in [0, 1], of the queries from now on; null: nothing does.
  // Comparing begins anew where it is another one than before.
  void SetShadow(const SnapshotPtr& shadow, double share)
      ABSL_LOCKS_EXCLUDED(mu_);

  // A query that `live` answered without being asked for by name. Costs those
  // that are not copied one addition.
  void Offer(const SnapshotPtr& live, const v1::RetrieveRequest& request)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Unset: there is no shadow.
  std::optional<v1::ShadowStatus> status() const ABSL_LOCKS_EXCLUDED(mu_);
  // Ends the thread; nothing is taken afterwards.
  void Stop() { work_.Stop(); }

 private:
  struct Copy {
    SnapshotPtr live, shadow;
    uint64_t comparison = 0;
    v1::RetrieveRequest request;
  };
  struct Sums {
    int64_t queries = 0, failed = 0, dropped = 0;
    int64_t shifts = 0;  // queries whose answers share an item
    double overlap = 0, shift = 0, live_seconds = 0, shadow_seconds = 0;
    std::string last_failure;
  };
  void Compare(const Copy& copy) ABSL_LOCKS_EXCLUDED(mu_);
  void Fail(const Copy& copy, const absl::Status& why) ABSL_LOCKS_EXCLUDED(mu_);
  bool IsOver(const Copy& copy) const ABSL_LOCKS_EXCLUDED(mu_);
  void BeginAnew() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Metrics& metrics_;
  std::atomic<double> share_ = 0;
  EvenSample offered_;
  mutable Mutex mu_;
  SnapshotPtr shadow_ ABSL_GUARDED_BY(mu_);
  std::string live_version_ ABSL_GUARDED_BY(mu_);
  uint64_t comparison_ ABSL_GUARDED_BY(mu_) = 0;  // how many began
  Sums sums_ ABSL_GUARDED_BY(mu_);
  bool live_first_ = false;  // the background's alone
  BackgroundWork work_;
};

}  // namespace segue

#endif  // SEGUE_SERVER_QUALITY_SHADOW_TRAFFIC_H_
