// When an answer stops being wanted, or long work is to give up. Passed down
// and checked between stages.
#ifndef SEGUE_CORE_BASE_DEADLINE_H_
#define SEGUE_CORE_BASE_DEADLINE_H_

#include <chrono>

#include "absl/status/status.h"

namespace segue {

// A point in time on the steady clock, or never. A value; any thread.
class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  static Deadline Infinite() { return Deadline(Clock::time_point::max()); }
  static Deadline At(Clock::time_point when) { return Deadline(when); }
  static Deadline After(Clock::duration wait) {
    return Deadline(Clock::now() + wait);
  }

  bool Expired() const { return Expired(Clock::now()); }
  bool Expired(Clock::time_point now) const { return now >= when_; }
  Clock::time_point when() const { return when_; }

  // DeadlineExceeded once it has passed.
  absl::Status Check() const {
    if (!Expired()) return absl::OkStatus();
    return absl::DeadlineExceededError("the deadline passed");
  }

 private:
  explicit Deadline(Clock::time_point when) : when_(when) {}
  Clock::time_point when_;
};

}  // namespace segue

#endif  // SEGUE_CORE_BASE_DEADLINE_H_
