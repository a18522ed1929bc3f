// Runs the project's binaries as a user would, for integration tests.
#ifndef SEGUE_TESTS_INTEGRATION_PROCESS_H_
#define SEGUE_TESTS_INTEGRATION_PROCESS_H_

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace segue::testing {

// One child process; its stdout and stderr go to files. One thread.
class Process {
 public:
  // `folder` gets <name>.out and <name>.err. A child that cannot be started
  // ends with 127.
  static std::unique_ptr<Process> Start(const std::vector<std::string>& argv,
                                        const std::string& folder,
                                        const std::string& name);
  // Kills the child if it still runs.
  ~Process();

  // Waits for its end: the exit code, or -signal.
  int Wait();
  void Signal(int signal);
  bool Running();
  // For /proc; another process's once it was waited for.
  pid_t pid() const { return pid_; }

  // What it has written so far.
  std::string Output() const;
  std::string Errors() const;

  // Whether it ends within that time, for which it is waited.
  bool EndsWithin(std::chrono::milliseconds time);

  // Looks at `condition` until it holds: true; or until the child has ended or
  // a minute has passed: false.
  bool WaitUntil(const std::function<bool()>& condition);

 private:
  Process() = default;

  pid_t pid_ = -1;
  bool ended_ = false;
  int code_ = 0;
  std::string output_;
  std::string errors_;
};

// The lines of a file or of nothing, if there is none.
std::string ReadAll(const std::string& path);

}  // namespace segue::testing

#endif  // SEGUE_TESTS_INTEGRATION_PROCESS_H_
