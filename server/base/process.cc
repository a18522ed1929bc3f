#include "server/base/process.h"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <system_error>
#include <thread>

namespace segue {
namespace {

constexpr int kNiceness = 10;

}  // namespace

uint64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

double CpuSeconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) +
           static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

std::chrono::duration<double> ThreadTime() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) +
         std::chrono::nanoseconds(now.tv_nsec);
}

void BeNice() {
  // On Linux this is the calling thread's niceness alone.
  ::setpriority(PRIO_PROCESS, 0, kNiceness);
}

void RunOnlyWhenIdle() {
  const sched_param none{};
  ::sched_setscheduler(0, SCHED_IDLE, &none);  // the calling thread
}

void RunInIdleTime(const std::function<void()>& work) {
  std::thread([&] {
    NameThread("loading");
    RunOnlyWhenIdle();
    work();
  }).join();
}

void NameThread(const std::string& name) {
  ::pthread_setname_np(::pthread_self(), name.substr(0, 15).c_str());
}

uint64_t OpenDescriptors() {
  std::error_code ignored;
  uint64_t count = 0;
  for (std::filesystem::directory_iterator at("/proc/self/fd", ignored), end;
       !ignored && at != end; at.increment(ignored)) {
    ++count;
  }
  return count;
}

uint64_t MaxDescriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

void RaiseMaxDescriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace segue
