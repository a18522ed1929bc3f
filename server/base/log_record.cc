#include "server/base/log_record.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/utf8.h"

namespace segue {
namespace {

constexpr absl::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

absl::string_view Name(LogLevel level) {
  switch (level) {
    case LogLevel::kInfo:
      return "INFO";
    case LogLevel::kWarning:
      return "WARNING";
    case LogLevel::kError:
      return "ERROR";
  }
  return "";
}

// Calls `append` with each character of the text, and with false for each byte
// that belongs to none.
template <typename Append>
void ForEachCharacter(absl::string_view text, Append append) {
  while (!text.empty()) {
    const size_t bytes = Utf8CharacterBytes(text);
    append(text.substr(0, std::max<size_t>(bytes, 1)), bytes > 0);
    text.remove_prefix(std::max<size_t>(bytes, 1));
  }
}

// C0, DEL, C1 (which terminals obey too) and the separators of lines and
// paragraphs.
bool IsControl(absl::string_view character) {
  if (character.size() == 1) return absl::ascii_iscntrl(character[0]);
  return (character >= "\xc2\x80" && character <= "\xc2\x9f") ||
         character == "\xe2\x80\xa8" || character == "\xe2\x80\xa9";
}

std::string Printable(absl::string_view text, bool quoted) {
  std::string printable;
  ForEachCharacter(text, [&](absl::string_view character, bool valid) {
    const bool ends_quote = quoted && (character == "\"" || character == "\\");
    if (!valid || ends_quote || IsControl(character)) {
      absl::StrAppend(&printable, absl::CEscape(character));
    } else {
      absl::StrAppend(&printable, character);
    }
  });
  return printable;
}

std::string TextValue(absl::string_view text) {
  const bool plain =
      !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return absl::ascii_isgraph(c) && c != '"' && c != '=' && c != '\\';
      });
  if (plain) return std::string(text);
  return absl::StrCat("\"", Printable(text, /*quoted=*/true), "\"");
}

std::string JsonValue(absl::string_view text) {
  google::protobuf::Value value;
  std::string& utf8 = *value.mutable_string_value();
  ForEachCharacter(text, [&](absl::string_view character, bool valid) {
    absl::StrAppend(&utf8, valid ? character : kReplacement);
  });
  std::string json;
  const auto written =
      google::protobuf::util::MessageToJsonString(value, &json);
  return written.ok() ? json : "null";
}

std::string TextValue(int64_t number) { return absl::StrCat(number); }
std::string TextValue(double number) { return absl::StrCat(number); }

std::string JsonValue(int64_t number) { return absl::StrCat(number); }
std::string JsonValue(double number) {
  return std::isfinite(number) ? absl::StrCat(number) : "null";
}

}  // namespace

std::string FormatLogRecord(LogFormat format, const LogRecord& record) {
  const std::string time = absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", record.time,
                                            absl::UTCTimeZone());
  std::string line;
  if (format == LogFormat::kText) {
    line = absl::StrCat(time, " ", Name(record.level), " ",
                        Printable(record.message, /*quoted=*/false));
    for (const LogField& field : record.fields) {
      absl::StrAppend(
          &line, " ", field.name, "=",
          std::visit([](auto value) { return TextValue(value); }, field.value));
    }
    return absl::StrCat(line, "\n");
  }
  line =
      absl::StrCat("{\"time\":\"", time, "\",\"level\":\"", Name(record.level),
                   "\",\"message\":", JsonValue(record.message));
  for (const LogField& field : record.fields) {
    absl::StrAppend(
        &line, ",\"", field.name, "\":",
        std::visit([](auto value) { return JsonValue(value); }, field.value));
  }
  return absl::StrCat(line, "}\n");
}

}  // namespace segue
