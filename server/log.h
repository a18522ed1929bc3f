// Lines on stderr: UTC time, level, text.
#ifndef SEGUE_SERVER_LOG_H_
#define SEGUE_SERVER_LOG_H_

#include "absl/strings/string_view.h"

namespace segue {

enum class LogLevel { kInfo, kWarning, kError };

// "2026-01-31T23:59:59.123Z INFO text". One write a line, so that lines of
// several threads do not mix. Any thread.
void Log(LogLevel level, absl::string_view text);

// What is below is not logged. kInfo at first. Any thread.
void SetLeastLogLevel(LogLevel level);
LogLevel LeastLogLevel();

inline void LogInfo(absl::string_view text) { Log(LogLevel::kInfo, text); }
inline void LogWarning(absl::string_view text) {
  Log(LogLevel::kWarning, text);
}
inline void LogError(absl::string_view text) { Log(LogLevel::kError, text); }

}  // namespace segue

#endif  // SEGUE_SERVER_LOG_H_
