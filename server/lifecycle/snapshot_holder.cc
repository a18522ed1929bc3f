#include "server/lifecycle/snapshot_holder.h"

#include <utility>

namespace segue {

SnapshotPtr SnapshotHolder::Get() const {
  MutexLock lock(mu_);
  return live_;
}

SnapshotPtr SnapshotHolder::Get(absl::string_view version) const {
  MutexLock lock(mu_);
  for (const SnapshotPtr& snapshot : {live_, previous_, shadow_}) {
    if (snapshot != nullptr && snapshot->version == version) return snapshot;
  }
  return nullptr;
}

SnapshotPtr SnapshotHolder::previous() const {
  MutexLock lock(mu_);
  return previous_;
}

SnapshotPtr SnapshotHolder::shadow() const {
  MutexLock lock(mu_);
  return shadow_;
}

SnapshotPtr SnapshotHolder::Publish(SnapshotPtr next, bool hold) {
  MutexLock lock(mu_);
  live_.swap(next);
  if (hold) previous_.swap(next);
  return next;
}

void SnapshotHolder::SwapBack() {
  MutexLock lock(mu_);
  live_.swap(previous_);
}

SnapshotPtr SnapshotHolder::SetShadow(SnapshotPtr shadow) {
  MutexLock lock(mu_);
  return std::exchange(shadow_, std::move(shadow));
}

SnapshotPtr SnapshotHolder::ShadowPrevious() {
  MutexLock lock(mu_);
  return std::exchange(shadow_, std::exchange(previous_, nullptr));
}

SnapshotPtr SnapshotHolder::PromoteShadow(bool hold) {
  MutexLock lock(mu_);
  SnapshotPtr leaves = std::exchange(live_, std::exchange(shadow_, nullptr));
  if (hold) previous_.swap(leaves);
  return leaves;
}

SnapshotPtr SnapshotHolder::DropPrevious() {
  MutexLock lock(mu_);
  return std::exchange(previous_, nullptr);
}

SnapshotPtr SnapshotHolder::Unload() {
  MutexLock lock(mu_);
  return std::exchange(live_, nullptr);
}

}  // namespace segue
