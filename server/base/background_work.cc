#include "server/base/background_work.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "server/base/process.h"

namespace segue {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr Seconds kLongestRest = std::chrono::hours(1);

}  // namespace

bool BackgroundWork::HasRoom() const {
  MutexLock lock(mu_);
  return !stopped_ && queue_.size() < options_.most_waiting;
}

bool BackgroundWork::Push(Task task) {
  {
    MutexLock lock(mu_);
    if (stopped_ || queue_.size() >= options_.most_waiting) return false;
    queue_.push_back(std::move(task));
    if (!thread_.joinable()) thread_ = std::thread([this] { Work(); });
  }
  changed_.NotifyOne();
  return true;
}

void BackgroundWork::Clear() {
  std::deque<Task> old;  // freed after the lock: a bundle may go with it
  MutexLock lock(mu_);
  old.swap(queue_);
}

void BackgroundWork::Stop() {
  {
    MutexLock lock(mu_);
    stopped_ = true;
  }
  changed_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

void BackgroundWork::Work() {
  NameThread("background");
  RunOnlyWhenIdle();
  while (true) {
    Task task;
    {
      MutexLock lock(mu_);
      while (queue_.empty() && !stopped_) changed_.Wait(mu_);
      if (stopped_) return;
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    const Seconds begin = ThreadTime();
    task();
    task = nullptr;
    const Seconds rest = std::min(
        (ThreadTime() - begin) * (1 / options_.processor - 1), kLongestRest);
    const auto end = std::chrono::steady_clock::now() +
                     std::chrono::duration_cast<std::chrono::nanoseconds>(rest);
    MutexLock lock(mu_);
    while (!stopped_ && changed_.WaitUntil(mu_, end)) {
    }
  }
}

}  // namespace segue
