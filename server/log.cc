#include "server/log.h"

#include <unistd.h>

#include <atomic>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace segue {
namespace {

std::atomic<LogLevel> least = LogLevel::kInfo;

const char* Name(LogLevel level) {
  switch (level) {
    case LogLevel::kInfo:
      return " INFO ";
    case LogLevel::kWarning:
      return " WARNING ";
    case LogLevel::kError:
      return " ERROR ";
  }
  return " ";
}

}  // namespace

void SetLeastLogLevel(LogLevel level) { least = level; }
LogLevel LeastLogLevel() { return least; }

void Log(LogLevel level, absl::string_view text) {
  if (level < least) return;
  const std::string line =
      absl::StrCat(absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(),
                                    absl::UTCTimeZone()),
                   Name(level), text, "\n");
  // A log that cannot be written is nothing to stop serving for.
  [[maybe_unused]] const ssize_t written =
      ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace segue
