// Which requests may wait, and when waiting has become too much.
#ifndef SEGUE_SERVER_QUEUE_ADMISSION_H_
#define SEGUE_SERVER_QUEUE_ADMISSION_H_

#include <chrono>
#include <optional>
#include <random>

#include "absl/status/status.h"
#include "core/base/deadline.h"

namespace segue {

// Why a request was refused.
enum class Shed {
  kQueueFull,
  kDeadline,  // it would have missed it while it waited
};

struct Refusal {
  Shed why = Shed::kQueueFull;
  int queued = 0;  // queries that wait
  std::chrono::milliseconds retry{};
};
// ResourceExhausted that says so and carries it.
absl::Status ToStatus(const Refusal& refusal);

// Of such a ResourceExhausted: when to come again; unset for any other
// status.
std::optional<std::chrono::milliseconds> RetryAfter(const absl::Status& status);
Shed WhyShed(const absl::Status& status);

// Learns how long queries take and refuses what would be answered too late:
// work for an answer that nobody waits for is what an overload feeds on.
//
// Decisions alone, no thread, no clock and no text, as they are made under a
// lock. One caller at a time.
class Admission {
 public:
  using Clock = std::chrono::steady_clock;

  // REQUIRES: both are 1 or more.
  Admission(int max_queued, int workers);

  // Of a request that would wait behind `queued` queries. Refused where as many
  // wait as may, and where the deadline is nearer than the time that answering
  // what has begun, them and one more is likely to take. Where none waits any
  // request is taken: what is known of their time may be old. So is one whose
  // deadline has passed, which costs a worker nothing and gets its own error.
  std::optional<Refusal> Admit(int queued, Deadline deadline,
                               Clock::time_point now);
  // A worker took so long for `queries` of them, 1 or more, at once.
  void Learn(int queries, Clock::duration took);

  // Whether in the last kPressedFor requests had to wait for half of what they
  // could, or were refused.
  bool Pressed(Clock::time_point now) const { return now < pressed_until_; }

  static constexpr std::chrono::milliseconds kPressedFor{100};

 private:
  Refusal Refuse(Shed why, int queued);
  // Until all of them are answered.
  Clock::duration TimeFor(int queued) const;

  const int max_queued_;
  const int workers_;
  // A worker's; 0: not known.
  std::chrono::duration<double> query_time_{0};
  std::chrono::duration<double> group_time_{0};
  Clock::time_point pressed_until_ = Clock::time_point::min();
  std::minstd_rand jitter_;
};

}  // namespace segue

#endif  // SEGUE_SERVER_QUEUE_ADMISSION_H_
