#include "server/lifecycle/idle_time.h"

#include <malloc.h>

#include <utility>

#include "server/base/log.h"

namespace segue {

IdleTime::IdleTime(const SnapshotHolder& holder, std::string version,
                   std::chrono::milliseconds limit)
    : holder_(holder),
      version_(std::move(version)),
      until_(Deadline::After(limit)) {}

void IdleTime::GiveUp() {
  gave_up_ = true;
  LogWarning(
      "no processor is idle for long enough to load the bundle; it is loaded "
      "beside the requests, which are slower meanwhile",
      {{"bundle_version", version_}});
  // What the step had built lay in the arena of a thread that is gone.
  ::malloc_trim(0);
}

}  // namespace segue
