#include "server/snapshot_holder.h"

#include <utility>

namespace segue {

std::shared_ptr<const ServingSnapshot> SnapshotHolder::Get() const {
  MutexLock lock(mu_);
  return current_;
}

std::shared_ptr<const ServingSnapshot> SnapshotHolder::Publish(
    std::shared_ptr<const ServingSnapshot> next) {
  MutexLock lock(mu_);
  current_.swap(next);
  return next;
}

}  // namespace segue
