#include "server/queue/worker_pool.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/process.h"

namespace segue {
namespace {

int Weight(const Job& job) { return std::max(1, job.query_count()); }

}  // namespace

WorkerPool::WorkerPool(const Options& options, Execute execute,
                       OnQueueLength on_queue_length)
    : options_(options),
      execute_(std::move(execute)),
      on_queue_length_(std::move(on_queue_length)),
      admission_(options.max_queued, options.threads) {
  for (int i = 0; i < options_.threads; ++i) {
    threads_.emplace_back([this, i] {
      NameThread(absl::StrCat("worker-", i));
      Work();
    });
  }
}

WorkerPool::~WorkerPool() { Stop(); }

absl::Status WorkerPool::Submit(Job* job) {
  job->queued_at = std::chrono::steady_clock::now();
  std::optional<Refusal> refusal;
  {
    MutexLock lock(mu_);
    if (stopped_) return absl::UnavailableError("the server is stopping");
    refusal =
        admission_.Admit(queued_queries_, job->deadline(), job->queued_at);
    if (!refusal.has_value()) {
      queue_.push_back(job);
      queued_queries_ += Weight(*job);
      on_queue_length_(queued_queries_);
    }
  }
  if (refusal.has_value()) return ToStatus(*refusal);
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

WorkerPool::Group WorkerPool::Take(const Took& before) {
  MutexLock lock(mu_);
  if (before.queries > 0) admission_.Learn(before.queries, before.time);
  ++idle_;
  while (queue_.empty() && !stopped_) changed_.Wait(mu_);
  --idle_;
  Group group{.pressed = admission_.Pressed(std::chrono::steady_clock::now())};
  const int most =
      std::min(ShareOfQueue(queued_queries_, idle_), options_.max_batch);
  int queries = 0;
  while (!queue_.empty()) {
    const int weight = Weight(*queue_.front());
    if (!group.jobs.empty() && queries + weight > most) break;
    group.jobs.push_back(queue_.front());
    queue_.pop_front();
    queries += weight;
  }
  queued_queries_ -= queries;
  on_queue_length_(queued_queries_);
  if (!queue_.empty() && idle_ > 0) changed_.NotifyOne();
  return group;
}

WorkerPool::Took WorkerPool::Answer(const Group& group) const {
  Took took;
  for (const Job* job : group.jobs) {
    if (job->Wanted().ok()) took.queries += Weight(*job);
  }
  const auto start = std::chrono::steady_clock::now();
  execute_(group.jobs, group.pressed);
  took.time = std::chrono::steady_clock::now() - start;
  return took;
}

void WorkerPool::Work() {
  Took took;
  for (Group group = Take(took); !group.jobs.empty(); group = Take(took)) {
    took = Answer(group);
  }
}

}  // namespace segue
