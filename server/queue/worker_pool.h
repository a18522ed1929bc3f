// The threads that answer, and the bounded queue before them.
#ifndef SEGUE_SERVER_QUEUE_WORKER_POOL_H_
#define SEGUE_SERVER_QUEUE_WORKER_POOL_H_

#include <chrono>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "core/base/mutex.h"
#include "server/queue/admission.h"
#include "server/queue/job.h"

namespace segue {

// How many of `queued` queries a worker takes while `idle` others wait for
// work: an even share, so that these get theirs.
constexpr int ShareOfQueue(int queued, int idle) {
  return (queued + idle) / (idle + 1);
}

// A micro-batcher without delay: a worker takes its share of what is queued
// (all of it, where no other waits for work), up to max_batch queries, and
// hands it on as one group. Under light load a group is one job; under heavy
// load groups grow by themselves.
//
// Jobs are not owned; every job that Submit() took is passed to `execute`,
// which completes it. Submit() from any thread, Stop() from one.
class WorkerPool {
 public:
  struct Options {
    int threads = 1;
    // Queries that may wait; a job without queries counts as one.
    int max_queued = 1;
    int max_batch = 1;
  };
  // Called on a worker, without locks held; several workers at once. `pressed`:
  // requests wait for long, or are refused (admission.h).
  using Execute = std::function<void(absl::Span<Job* const>, bool pressed)>;
  // Called under the queue's lock with the number of queries that wait.
  using OnQueueLength = std::function<void(int)>;

  WorkerPool(const Options& options, Execute execute,
             OnQueueLength on_queue_length);
  ~WorkerPool();

  // Sets queued_at. ResourceExhausted by Admission, Unavailable after Stop():
  // the caller then completes the job. A job of several queries is taken where
  // at least one more may wait, so that it is not starved by small ones.
  absl::Status Submit(Job* job) ABSL_LOCKS_EXCLUDED(mu_);

  // Takes no more; returns once the queue is empty and the workers have ended.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Work() ABSL_LOCKS_EXCLUDED(mu_);
  struct Group {
    std::vector<Job*> jobs;
    bool pressed = false;
  };
  // What a group's queries took; none of a group that nobody waited for.
  struct Took {
    int queries = 0;
    std::chrono::steady_clock::duration time{};
  };
  // Waits; without jobs once stopped and drained. `before`: of the worker's
  // last group.
  Group Take(const Took& before) ABSL_LOCKS_EXCLUDED(mu_);
  Took Answer(const Group& group) const;

  const Options options_;
  const Execute execute_;
  const OnQueueLength on_queue_length_;
  std::vector<std::thread> threads_;

  Mutex mu_;
  CondVar changed_;
  Admission admission_ ABSL_GUARDED_BY(mu_);
  std::deque<Job*> queue_ ABSL_GUARDED_BY(mu_);
  int queued_queries_ ABSL_GUARDED_BY(mu_) = 0;
  int idle_ ABSL_GUARDED_BY(mu_) = 0;  // workers that wait
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace segue

#endif  // SEGUE_SERVER_QUEUE_WORKER_POOL_H_
