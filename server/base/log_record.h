// A line of the log, for people and for programs.
#ifndef SEGUE_SERVER_BASE_LOG_RECORD_H_
#define SEGUE_SERVER_BASE_LOG_RECORD_H_

#include <cstdint>
#include <string>
#include <variant>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace segue {

enum class LogLevel { kInfo, kWarning, kError };
enum class LogFormat { kText, kJson };

// A value that people search for. `name`: letters, digits and _; not "time",
// "level" or "message". Text of any bytes. Borrows both.
struct LogField {
  absl::string_view name;
  std::variant<absl::string_view, int64_t, double> value;
};

struct LogRecord {
  absl::Time time;
  LogLevel level = LogLevel::kInfo;
  absl::string_view message;  // any bytes; borrowed
  absl::Span<const LogField> fields;
};

// One line with its end, whatever the record holds. Text:
//   2026-01-31T23:59:59.123Z INFO message name=value name="a \"value\""
// where control characters, what terminals and viewers take for an end of line
// and bytes that are no UTF-8 are escaped as in C. JSON: an object
//   {"time":"2026-01-31T23:59:59.123Z","level":"INFO","message":"...","name":1}
// where U+FFFD stands for each byte that is no UTF-8, and null for a number
// that is not finite.
std::string FormatLogRecord(LogFormat format, const LogRecord& record);

}  // namespace segue

#endif  // SEGUE_SERVER_BASE_LOG_RECORD_H_
