#include "server/lifecycle/poll_thread.h"

#include "core/base/status_macros.h"
#include "server/base/process.h"

namespace segue {
namespace {

// Before a task that said "not yet" is tried again.
constexpr auto kNotYetWait = std::chrono::milliseconds(20);

absl::Status Stopping() {
  return absl::UnavailableError("the server is stopping");
}

}  // namespace

void PollThread::Start() {
  {
    MutexLock lock(mu_);
    started_ = true;
  }
  thread_ = std::thread([this] {
    NameThread("bundles");
    BeNice();
    Work();
  });
}

void PollThread::Stop() {
  {
    MutexLock lock(mu_);
    stopped_ = true;
  }
  changed_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

void PollThread::Work() {
  while (true) {
    Task task;
    uint64_t asked = 0;
    {
      MutexLock lock(mu_);
      if (stopped_) return;
      asked = asked_;
      if (asked != answered_) {
        task = task_;
        begun_ = asked;
      }
    }
    absl::StatusOr<bool> answer = false;
    if (task) {
      answer = task();
    } else {
      poll_();
    }
    const auto next = Clock::now() + interval_;
    MutexLock lock(mu_);
    answer_ = std::move(answer);
    answered_ = asked;
    changed_.NotifyAll();
    while (!stopped_ && asked_ == answered_ && changed_.WaitUntil(mu_, next)) {
    }
  }
}

absl::StatusOr<bool> PollThread::DoOnce(const Task& task,
                                        Clock::time_point end) {
  {
    MutexLock lock(mu_);
    if (stopped_) return Stopping();
    if (started_) {
      task_ = task;
      const uint64_t ticket = ++asked_;
      changed_.NotifyAll();
      while (answered_ < ticket && !stopped_) {
        // Once begun it is awaited: it may use what is the caller's.
        if (begun_ >= ticket) {
          changed_.Wait(mu_);
        } else if (!changed_.WaitUntil(mu_, end) && begun_ < ticket) {
          task_ = nullptr;
          return absl::UnavailableError(
              "another bundle is still being loaded; try again");
        }
      }
      if (answered_ < ticket) return Stopping();
      return answer_;
    }
  }
  return task();
}

absl::Status PollThread::Do(const Task& task,
                            std::chrono::milliseconds timeout) {
  const auto end = Clock::now() + timeout;
  while (true) {
    ASSIGN_OR_RETURN(const bool done, DoOnce(task, end));
    if (done) return absl::OkStatus();
    const auto now = Clock::now();
    if (now >= end) {
      return absl::UnavailableError(
          "requests still use a version that has to go first; try again");
    }
    MutexLock lock(mu_);
    while (!stopped_ && changed_.WaitUntil(mu_, now + kNotYetWait)) {
    }
  }
}

}  // namespace segue
