// The processor time in which the next bundle is made ready.
#ifndef SEGUE_SERVER_LIFECYCLE_IDLE_TIME_H_
#define SEGUE_SERVER_LIFECYCLE_IDLE_TIME_H_

#include <chrono>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "core/base/deadline.h"
#include "server/base/process.h"
#include "server/lifecycle/snapshot_holder.h"

namespace segue {

// Runs the steps of loading one bundle where they disturb no request: in time
// that no other thread wants. On full processors there is next to none of that
// (Linux weighs such a thread 3, others 1,024), and a bundle that never comes
// is worse than requests that are slower for seconds: when the limit has
// passed, the step that was under way begins anew on the calling thread, and
// those behind it follow there. So do all of them while nothing serves.
//
// Borrows the holder. One thread.
class IdleTime {
 public:
  // Begins now. `version` is for the log.
  IdleTime(const SnapshotHolder& holder, std::string version,
           std::chrono::milliseconds limit);

  // What `step` returns, a StatusOr. It is given a deadline, and gives up after
  // that with DeadlineExceeded.
  template <typename Step>
  auto Run(const Step& step) -> decltype(step(Deadline::Infinite())) {
    if (!gave_up_ && holder_.Get() != nullptr) {
      std::optional<decltype(step(Deadline::Infinite()))> result;
      RunInIdleTime([&] { result = step(until_); });
      // The system has errors of that code too, of disks that do not answer.
      if (!absl::IsDeadlineExceeded(result->status()) || !until_.Expired()) {
        return *std::move(result);
      }
      result.reset();
      GiveUp();
    }
    return step(Deadline::Infinite());
  }

 private:
  void GiveUp();

  const SnapshotHolder& holder_;
  const std::string version_;
  const Deadline until_;
  bool gave_up_ = false;
};

}  // namespace segue

#endif  // SEGUE_SERVER_LIFECYCLE_IDLE_TIME_H_
