// One thread that polls, and does in between what it is asked to.
#ifndef SEGUE_SERVER_LIFECYCLE_POLL_THREAD_H_
#define SEGUE_SERVER_LIFECYCLE_POLL_THREAD_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/mutex.h"

namespace segue {

// Polls and tasks are never at the same time: what they share needs no lock.
// It is nice, so that requests come first. Start() and Stop() from one thread,
// Do() from one at a time.
class PollThread {
 public:
  // False: not yet, to be tried again.
  using Task = std::function<absl::StatusOr<bool>()>;

  PollThread(std::function<void()> poll, std::chrono::milliseconds interval)
      : poll_(std::move(poll)), interval_(interval) {}
  ~PollThread() { Stop(); }
  PollThread(const PollThread&) = delete;
  PollThread& operator=(const PollThread&) = delete;

  // Polls now, and then every interval.
  void Start() ABSL_LOCKS_EXCLUDED(mu_);
  // Returns when what is under way has ended. Idempotent; final.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

  // Has the thread do it, at once and as often as it says "not yet", and waits;
  // without Start() the calling thread does. The task's error; Unavailable
  // where `timeout` passes before it is begun, or Stop() comes between.
  absl::Status Do(const Task& task, std::chrono::milliseconds timeout)
      ABSL_LOCKS_EXCLUDED(mu_);

 private:
  using Clock = std::chrono::steady_clock;

  void Work() ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<bool> DoOnce(const Task& task, Clock::time_point end)
      ABSL_LOCKS_EXCLUDED(mu_);

  const std::function<void()> poll_;
  const std::chrono::milliseconds interval_;
  std::thread thread_;

  Mutex mu_;
  CondVar changed_;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  bool started_ ABSL_GUARDED_BY(mu_) = false;
  Task task_ ABSL_GUARDED_BY(mu_);              // the last asked for
  uint64_t asked_ ABSL_GUARDED_BY(mu_) = 0;     // tasks
  uint64_t begun_ ABSL_GUARDED_BY(mu_) = 0;     // of these
  uint64_t answered_ ABSL_GUARDED_BY(mu_) = 0;  // of these
  absl::StatusOr<bool> answer_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace segue

#endif  // SEGUE_SERVER_LIFECYCLE_POLL_THREAD_H_
