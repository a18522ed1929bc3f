// What the server says on stderr, a line each.
#ifndef SEGUE_SERVER_BASE_LOG_H_
#define SEGUE_SERVER_BASE_LOG_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/base/log_record.h"

namespace segue {

using LogFields = absl::Span<const LogField>;

// One write a line, so that lines of several threads do not mix. Waits while
// whoever reads stderr is slow. Any thread.
void Log(LogLevel level, absl::string_view message, LogFields fields = {});
// The same, for threads that answer requests: false, and nothing is written,
// where it would have to wait.
bool TryLog(LogLevel level, absl::string_view message, LogFields fields = {});

// What is below is not logged. kInfo at first. Any thread.
void SetLeastLogLevel(LogLevel level);
LogLevel LeastLogLevel();

// Of the lines that follow. DefaultLogFormat() at first. Any thread.
void SetLogFormat(LogFormat format);
// kText where stderr is a terminal, else kJson.
LogFormat DefaultLogFormat();

inline void LogInfo(absl::string_view message, LogFields fields = {}) {
  Log(LogLevel::kInfo, message, fields);
}
inline void LogWarning(absl::string_view message, LogFields fields = {}) {
  Log(LogLevel::kWarning, message, fields);
}
inline void LogError(absl::string_view message, LogFields fields = {}) {
  Log(LogLevel::kError, message, fields);
}

}  // namespace segue

#endif  // SEGUE_SERVER_BASE_LOG_H_
