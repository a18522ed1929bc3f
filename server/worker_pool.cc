#include "server/worker_pool.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace segue {
namespace {

int Weight(const Job& job) { return std::max(1, job.query_count()); }

}  // namespace

WorkerPool::WorkerPool(const Options& options, Execute execute,
                       OnQueueLength on_queue_length)
    : options_(options),
      execute_(std::move(execute)),
      on_queue_length_(std::move(on_queue_length)) {
  for (int i = 0; i < options_.threads; ++i) {
    threads_.emplace_back([this] { Work(); });
  }
}

WorkerPool::~WorkerPool() { Stop(); }

absl::Status WorkerPool::Submit(Job* job) {
  job->queued_at = std::chrono::steady_clock::now();
  {
    MutexLock lock(mu_);
    if (stopped_) return absl::UnavailableError("the server is stopping");
    if (queued_queries_ >= options_.max_queued) {
      return absl::ResourceExhaustedError(
          absl::StrCat(queued_queries_,
                       " requests wait already; retry later, with backoff"));
    }
    queue_.push_back(job);
    queued_queries_ += Weight(*job);
    on_queue_length_(queued_queries_);
  }
  changed_.NotifyOne();
  return absl::OkStatus();
}

void WorkerPool::Stop() {
  {
    MutexLock lock(mu_);
    stopped_ = true;
  }
  changed_.NotifyAll();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

std::vector<Job*> WorkerPool::Take() {
  MutexLock lock(mu_);
  ++idle_;
  while (queue_.empty() && !stopped_) changed_.Wait(mu_);
  --idle_;
  std::vector<Job*> taken;
  const int most =
      std::min(ShareOfQueue(queued_queries_, idle_), options_.max_batch);
  int queries = 0;
  while (!queue_.empty()) {
    const int weight = Weight(*queue_.front());
    if (!taken.empty() && queries + weight > most) break;
    taken.push_back(queue_.front());
    queue_.pop_front();
    queries += weight;
  }
  queued_queries_ -= queries;
  on_queue_length_(queued_queries_);
  if (!queue_.empty() && idle_ > 0) changed_.NotifyOne();
  return taken;
}

void WorkerPool::Work() {
  for (std::vector<Job*> jobs = Take(); !jobs.empty(); jobs = Take()) {
    execute_(jobs);
  }
}

}  // namespace segue
