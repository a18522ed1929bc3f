// What may wait, and be dropped: work beside the requests.
#ifndef SEGUE_SERVER_BASE_BACKGROUND_WORK_H_
#define SEGUE_SERVER_BASE_BACKGROUND_WORK_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "core/base/mutex.h"

namespace segue {

// One thread that runs while nobody else wants the processor, which begins with
// the first task, and a short queue before it. After each task it rests long
// enough to keep to its share of one processor. Any thread; tasks run one after
// another, without locks held, and what they hold is freed by the thread that
// drops them.
class BackgroundWork {
 public:
  struct Options {
    size_t most_waiting = 1;
    double processor = 1;  // share of one, above 0
  };
  using Task = std::function<void()>;

  explicit BackgroundWork(const Options& options) : options_(options) {}
  ~BackgroundWork() { Stop(); }
  BackgroundWork(const BackgroundWork&) = delete;
  BackgroundWork& operator=(const BackgroundWork&) = delete;

  // Whether Push() would take one now: before what is dear to make is made.
  bool HasRoom() const ABSL_LOCKS_EXCLUDED(mu_);
  // False: the queue is full, or stopped.
  bool Push(Task task) ABSL_LOCKS_EXCLUDED(mu_);
  // Drops what waits; what is under way goes on.
  void Clear() ABSL_LOCKS_EXCLUDED(mu_);
  // Returns when what is under way has ended; nothing is taken afterwards.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Work() ABSL_LOCKS_EXCLUDED(mu_);

  const Options options_;
  mutable Mutex mu_;
  CondVar changed_;
  std::deque<Task> queue_ ABSL_GUARDED_BY(mu_);
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;  // begun under mu_, joined once stopped
};

}  // namespace segue

#endif  // SEGUE_SERVER_BASE_BACKGROUND_WORK_H_
