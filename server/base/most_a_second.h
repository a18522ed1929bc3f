// A bound on what would otherwise be done as often as somebody else wants.
#ifndef SEGUE_SERVER_BASE_MOST_A_SECOND_H_
#define SEGUE_SERVER_BASE_MOST_A_SECOND_H_

#include <array>
#include <chrono>
#include <cstddef>

#include "absl/base/thread_annotations.h"
#include "core/base/mutex.h"

namespace segue {

// Takes at most `kMost` in any second. Any thread.
template <int kMost>
class MostASecond {
 public:
  using Clock = std::chrono::steady_clock;

  MostASecond() { taken_.fill(Clock::time_point::min()); }

  bool Takes(Clock::time_point now) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    Clock::time_point& oldest = taken_[oldest_];
    if (now < oldest + std::chrono::seconds(1)) return false;
    oldest = now;
    oldest_ = (oldest_ + 1) % kMost;
    return true;
  }

 private:
  Mutex mu_;
  // The last ones that were taken, in a ring.
  std::array<Clock::time_point, kMost> taken_ ABSL_GUARDED_BY(mu_);
  size_t oldest_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace segue

#endif  // SEGUE_SERVER_BASE_MOST_A_SECOND_H_
