// Small pieces of HTML. Everything that is text goes through EscapeHtml.
#ifndef SEGUE_TRAINER_REPORT_HTML_H_
#define SEGUE_TRAINER_REPORT_HTML_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace segue {

// One value of a table, as text.
struct Cell {
  std::string text;
  // Small, after the text: an interval, a unit.
  std::string note = "";
  // Shown in red.
  bool bad = false;
};
using TableRow = std::vector<Cell>;

// A part of a page with a heading of its own. Without a body it is left out.
struct PageSection {
  std::string id;
  std::string title;
  // HTML.
  std::string body;
};

// `text` as a page shows it: safe between tags and in a quoted attribute.
std::string EscapeHtml(absl::string_view text);

std::string Paragraph(absl::string_view text);

// A table with a line of headings, unless `head` is empty; the first cell of
// each row is its name. "" without rows.
std::string Table(const std::vector<std::string>& head,
                  const std::vector<TableRow>& rows);

// What page.js draws the chart `name` into; `caption` says what it shows. Of
// several charts of one name, `part` says which one.
std::string Chart(absl::string_view name, absl::string_view caption,
                  absl::string_view part = "");

// Charts beside each other where there is room.
std::string ChartGrid(absl::string_view charts);

// A figure large and its name small.
std::string Tile(absl::string_view name, const Cell& cell);

// Text behind a line that opens it.
std::string Folded(absl::string_view summary, absl::string_view body);

}  // namespace segue

#endif  // SEGUE_TRAINER_REPORT_HTML_H_
