// The one pointer that a swap replaces.
#ifndef SEGUE_SERVER_SNAPSHOT_HOLDER_H_
#define SEGUE_SERVER_SNAPSHOT_HOLDER_H_

#include <memory>

#include "absl/base/thread_annotations.h"
#include "core/base/mutex.h"
#include "core/retrieval/serving_snapshot.h"

namespace segue {

// Holds the snapshot that new requests see; the only mutable state on the
// request path.
//
// Ownership: shared by this class and by each in-flight request. A request
// calls Get() once and uses that pointer to its end, so one response never
// mixes two versions.
//
// Lifetime: freeing a snapshot can take seconds and must not happen on a
// request thread. Publish() therefore returns the previous snapshot; the
// caller keeps it until `use_count() == 1`, then drops it.
//
// Thread-safety: Get() from any thread; Publish() from one thread.
class SnapshotHolder {
 public:
  // Null until the first Publish(); the service answers UNAVAILABLE then.
  std::shared_ptr<const ServingSnapshot> Get() const ABSL_LOCKS_EXCLUDED(mu_);

  // REQUIRES: `next` is not null and is warmed up.
  [[nodiscard]] std::shared_ptr<const ServingSnapshot> Publish(
      std::shared_ptr<const ServingSnapshot> next) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  mutable Mutex mu_;
  std::shared_ptr<const ServingSnapshot> current_ ABSL_GUARDED_BY(mu_);
};

}  // namespace segue

#endif  // SEGUE_SERVER_SNAPSHOT_HOLDER_H_
