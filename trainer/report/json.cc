#include "trainer/report/json.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"
#include "google/protobuf/util/json_util.h"

namespace segue {
namespace {

using Lines = std::vector<absl::string_view>;

// The k of a line like `  "100": 0.25,`; -1 of any other. No value of a string
// can look so: quotes in it are escaped.
int32_t KeyOf(absl::string_view line) {
  line = absl::StripLeadingAsciiWhitespace(line);
  int32_t k = -1;
  const size_t end = line.find("\":", 1);
  if (!absl::ConsumePrefix(&line, "\"") || end == absl::string_view::npos ||
      !absl::SimpleAtoi(line.substr(0, end - 1), &k)) {
    return -1;
  }
  return k;
}

size_t Indent(absl::string_view line) { return line.find_first_not_of(' '); }

// The line after the entry that begins at `at`: a value of its own line, or an
// object up to the bracket that stands as deep as its key.
size_t EntryEnd(const Lines& lines, size_t at) {
  if (!absl::EndsWith(lines[at], "{")) return at + 1;
  size_t end = at + 1;
  while (end < lines.size() && Indent(lines[end]) > Indent(lines[at])) ++end;
  return end + 1;
}

// The entries of one map from `at` on, sorted by k; `at` moves behind them.
std::string SortedEntries(const Lines& lines, size_t& at) {
  std::vector<std::pair<int32_t, std::string>> entries;
  bool last = false;
  while (!last && at < lines.size() && KeyOf(lines[at]) >= 0) {
    const int32_t k = KeyOf(lines[at]);
    const size_t end = std::min(EntryEnd(lines, at), lines.size());
    std::string text =
        absl::StrJoin(lines.begin() + at, lines.begin() + end, "\n");
    last = !absl::EndsWith(text, ",");
    if (!last) text.pop_back();
    entries.emplace_back(k, std::move(text));
    at = end;
  }
  std::sort(entries.begin(), entries.end());
  return absl::StrCat(absl::StrJoin(entries, ",\n",
                                    [](std::string* out, const auto& entry) {
                                      out->append(entry.second);
                                    }),
                      last ? "" : ",");
}

}  // namespace

absl::StatusOr<std::string> MessageToJson(
    const google::protobuf::Message& message, bool spaced) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.add_whitespace = spaced;
  // A count of 0 is a figure, too.
  options.always_print_primitive_fields = spaced;
  std::string json;
  const auto printed =
      google::protobuf::util::MessageToJsonString(message, &json, options);
  if (printed.ok()) return json;
  return absl::InternalError(absl::StrCat(
      "cannot print ", message.GetTypeName(), " as JSON: ",
      absl::string_view(printed.message().data(), printed.message().size())));
}

absl::StatusOr<std::string> ReportToJson(const v1::Report& report) {
  ASSIGN_OR_RETURN(const std::string json,
                   MessageToJson(report, /*spaced=*/true));
  const Lines lines = absl::StrSplit(json, '\n');
  std::vector<std::string> sorted;
  for (size_t at = 0; at < lines.size();) {
    if (KeyOf(lines[at]) < 0) {
      sorted.emplace_back(lines[at++]);
    } else {
      sorted.push_back(SortedEntries(lines, at));
    }
  }
  return absl::StrJoin(sorted, "\n");
}

}  // namespace segue
