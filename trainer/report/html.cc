#include "trainer/report/html.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace segue {
namespace {

// What stands between a cell's tags.
std::string Content(const Cell& cell) {
  if (cell.note.empty()) return EscapeHtml(cell.text);
  return absl::StrCat(EscapeHtml(cell.text), " <small>", EscapeHtml(cell.note),
                      "</small>");
}

// Longer texts may wrap.
constexpr size_t kLongText = 28;

std::string ClassOf(const Cell& cell) {
  std::vector<std::string> classes;
  if (cell.bad) classes.emplace_back("bad");
  if (cell.text.size() > kLongText) classes.emplace_back("long");
  if (classes.empty()) return "";
  return absl::StrCat(" class=\"", absl::StrJoin(classes, " "), "\"");
}

std::string Row(const TableRow& cells) {
  std::string out = "<tr>";
  for (size_t i = 0; i < cells.size(); ++i) {
    const absl::string_view tag = i == 0 ? "th" : "td";
    absl::StrAppend(&out, "<", tag, i == 0 ? " scope=\"row\"" : "",
                    ClassOf(cells[i]), ">", Content(cells[i]), "</", tag, ">");
  }
  return out + "</tr>\n";
}

}  // namespace

std::string EscapeHtml(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"},
                                    {"<", "&lt;"},
                                    {">", "&gt;"},
                                    {"\"", "&quot;"},
                                    {"'", "&#39;"}});
}

std::string Paragraph(absl::string_view text) {
  return absl::StrCat("<p>", EscapeHtml(text), "</p>\n");
}

std::string Table(const std::vector<std::string>& head,
                  const std::vector<TableRow>& rows) {
  if (rows.empty()) return "";
  // Wide tables scroll, for the keyboard too.
  std::string out = "<div class=\"scroll\" tabindex=\"0\">";
  out += head.empty() ? "<table class=\"facts\">\n" : "<table>\n";
  if (!head.empty()) {
    out += "<thead><tr>";
    for (const std::string& name : head) {
      absl::StrAppend(&out, "<th scope=\"col\">", EscapeHtml(name), "</th>");
    }
    out += "</tr></thead>\n";
  }
  out += "<tbody>\n";
  for (const TableRow& row : rows) out += Row(row);
  return out + "</tbody></table></div>\n";
}

std::string Chart(absl::string_view name, absl::string_view caption,
                  absl::string_view part) {
  const std::string text = EscapeHtml(caption);
  return absl::StrCat("<figure class=\"chart\"><figcaption>", text,
                      "</figcaption><div><canvas data-chart=\"",
                      EscapeHtml(name), "\" data-part=\"", EscapeHtml(part),
                      "\" role=\"img\" aria-label=\"", text,
                      "\"></canvas></div></figure>\n");
}

std::string ChartGrid(absl::string_view charts) {
  if (charts.empty()) return "";
  return absl::StrCat("<div class=\"charts\">\n", charts, "</div>\n");
}

std::string Tile(absl::string_view name, const Cell& cell) {
  return absl::StrCat("<div><dt>", EscapeHtml(name), "</dt><dd",
                      cell.bad ? " class=\"bad\"" : "", ">", Content(cell),
                      "</dd></div>\n");
}

std::string Folded(absl::string_view summary, absl::string_view body) {
  if (body.empty()) return "";
  return absl::StrCat("<details><summary>", EscapeHtml(summary), "</summary>\n",
                      body, "</details>\n");
}

}  // namespace segue
