// The pointers that a swap replaces.
#ifndef SEGUE_SERVER_LIFECYCLE_SNAPSHOT_HOLDER_H_
#define SEGUE_SERVER_LIFECYCLE_SNAPSHOT_HOLDER_H_

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "core/base/mutex.h"
#include "core/retrieval/serving_snapshot.h"

namespace segue {

using SnapshotPtr = std::shared_ptr<const ServingSnapshot>;

// Empty: there is none.
inline std::string VersionOf(const SnapshotPtr& snapshot) {
  return snapshot == nullptr ? "" : snapshot->version;
}

// Holds the snapshot that new requests see, the one before it if that is held,
// and the one that is tried beside it, the shadow; the only mutable state on
// the request path.
//
// Ownership: shared by this class and by each in-flight request. A request
// calls Get() once and uses that pointer to its end, so one response never
// mixes two versions.
//
// Lifetime: freeing a snapshot can take seconds and must not happen on a
// request thread. What leaves the holder is therefore returned; the caller
// keeps it until `use_count() == 1`, then drops it.
//
// Thread-safety: Get(), previous() and shadow() from any thread; the others
// from one.
class SnapshotHolder {
 public:
  // What serves; null until the first Publish() and after Unload(): the service
  // answers UNAVAILABLE then.
  SnapshotPtr Get() const ABSL_LOCKS_EXCLUDED(mu_);
  // The one of the three that is called so; null: none.
  SnapshotPtr Get(absl::string_view version) const ABSL_LOCKS_EXCLUDED(mu_);
  // The one before; null: none is held.
  SnapshotPtr previous() const ABSL_LOCKS_EXCLUDED(mu_);
  // The one that is tried; null: none is.
  SnapshotPtr shadow() const ABSL_LOCKS_EXCLUDED(mu_);

  // `next` serves from now on. Returns what leaves: the one before the live
  // one, if that is held from now on (`hold`), else the live one; null: none.
  // REQUIRES: `next` is not null and is warmed up; where the live one is not to
  // be held, none is.
  [[nodiscard]] SnapshotPtr Publish(SnapshotPtr next, bool hold = false)
      ABSL_LOCKS_EXCLUDED(mu_);
  // The held one serves, and the live one is held. REQUIRES: there are both.
  void SwapBack() ABSL_LOCKS_EXCLUDED(mu_);
  // `shadow` is tried from now on; null: nothing is. Returns the one that was.
  [[nodiscard]] SnapshotPtr SetShadow(SnapshotPtr shadow)
      ABSL_LOCKS_EXCLUDED(mu_);
  // The one before is tried, and is held no more. Returns what was tried.
  [[nodiscard]] SnapshotPtr ShadowPrevious() ABSL_LOCKS_EXCLUDED(mu_);
  // Publish() of the shadow, which is one no more. REQUIRES: there is one.
  [[nodiscard]] SnapshotPtr PromoteShadow(bool hold) ABSL_LOCKS_EXCLUDED(mu_);
  // Nothing is held from now on.
  [[nodiscard]] SnapshotPtr DropPrevious() ABSL_LOCKS_EXCLUDED(mu_);
  // Nothing serves from now on.
  [[nodiscard]] SnapshotPtr Unload() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  mutable Mutex mu_;
  SnapshotPtr live_ ABSL_GUARDED_BY(mu_);
  SnapshotPtr previous_ ABSL_GUARDED_BY(mu_);
  SnapshotPtr shadow_ ABSL_GUARDED_BY(mu_);
};

}  // namespace segue

#endif  // SEGUE_SERVER_LIFECYCLE_SNAPSHOT_HOLDER_H_
