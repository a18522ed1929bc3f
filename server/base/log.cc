#include "server/base/log.h"

#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <string>

#include "absl/time/clock.h"

namespace segue {
namespace {

std::atomic<LogLevel> least = LogLevel::kInfo;
std::atomic<LogFormat> log_format = DefaultLogFormat();

// A pipe that says so has room for a line.
bool StderrIsReady() {
  pollfd waited = {.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  return ::poll(&waited, 1, /*timeout=*/0) == 1;
}

}  // namespace

void SetLeastLogLevel(LogLevel level) { least = level; }
LogLevel LeastLogLevel() { return least; }

void SetLogFormat(LogFormat format) { log_format = format; }
LogFormat DefaultLogFormat() {
  return ::isatty(STDERR_FILENO) == 1 ? LogFormat::kText : LogFormat::kJson;
}

void Log(LogLevel level, absl::string_view message, LogFields fields) {
  if (level < least) return;
  const std::string line = FormatLogRecord(log_format, {.time = absl::Now(),
                                                        .level = level,
                                                        .message = message,
                                                        .fields = fields});
  // A log that cannot be written is nothing to stop serving for.
  [[maybe_unused]] const ssize_t written =
      ::write(STDERR_FILENO, line.data(), line.size());
}

bool TryLog(LogLevel level, absl::string_view message, LogFields fields) {
  if (!StderrIsReady()) return false;
  Log(level, message, fields);
  return true;
}

}  // namespace segue
