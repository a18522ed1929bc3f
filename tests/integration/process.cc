#include "tests/integration/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "core/base/descriptor.h"

namespace segue::testing {
namespace {

constexpr std::chrono::minutes kPatience(1);
constexpr int kMillisecondsBetweenLooks = 5;

int ExitCode(int status) {
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

// In the child, between fork and exec: nothing that allocates.
[[noreturn]] void Become(const std::vector<char*>& arguments,
                         const char* output, const char* errors) {
  const int flags = O_WRONLY | O_CREAT | O_TRUNC;
  ::dup2(::open(output, flags, 0644), STDOUT_FILENO);
  ::dup2(::open(errors, flags, 0644), STDERR_FILENO);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

}  // namespace

std::unique_ptr<Process> Process::Start(const std::vector<std::string>& argv,
                                        const std::string& folder,
                                        const std::string& name) {
  std::unique_ptr<Process> process(new Process);
  process->output_ = folder + "/" + name + ".out";
  process->errors_ = folder + "/" + name + ".err";
  // What an earlier process of this name wrote is not the new one's.
  std::remove(process->output_.c_str());
  std::remove(process->errors_.c_str());
  std::vector<char*> arguments;
  for (const std::string& each : argv) {
    arguments.push_back(const_cast<char*>(each.c_str()));
  }
  arguments.push_back(nullptr);
  process->pid_ = ::fork();
  if (process->pid_ == 0) {
    Become(arguments, process->output_.c_str(), process->errors_.c_str());
  }
  return process;
}

Process::~Process() {
  if (!Running()) return;
  Signal(SIGKILL);
  Wait();
}

int Process::Wait() {
  if (!ended_) {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    ended_ = true;
    code_ = ExitCode(status);
  }
  return code_;
}

void Process::Signal(int signal) {
  if (!ended_) ::kill(pid_, signal);
}

bool Process::Running() {
  if (ended_) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return true;
  ended_ = true;
  code_ = ExitCode(status);
  return false;
}

bool Process::WaitUntil(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  const Descriptor child(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  while (!condition()) {
    if (!Running() || std::chrono::steady_clock::now() > end) {
      return condition();
    }
    // Readable at once when the child ends.
    pollfd ended = {.fd = child.get(), .events = POLLIN, .revents = 0};
    ::poll(&ended, 1, kMillisecondsBetweenLooks);
  }
  return true;
}

bool Process::EndsWithin(std::chrono::milliseconds time) {
  if (!Running()) return true;
  const Descriptor child(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  pollfd ended = {.fd = child.get(), .events = POLLIN, .revents = 0};
  ::poll(&ended, 1, static_cast<int>(time.count()));
  return !Running();
}

std::string Process::Output() const { return ReadAll(output_); }
std::string Process::Errors() const { return ReadAll(errors_); }

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace segue::testing
