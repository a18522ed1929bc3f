// Runs side by side, as a table of text.
#ifndef SEGUE_TRAINER_REPORT_COMPARISON_H_
#define SEGUE_TRAINER_REPORT_COMPARISON_H_

#include <string>
#include <vector>

#include "trainer/report/html.h"
#include "trainer/report/run_report.h"

namespace segue {

// A row a figure, a column a run; kNone where a report lacks the figure.
std::vector<TableRow> CompareFigures(const std::vector<RunReport>& runs);

// A row for each value of the configuration in which runs differ, by its path;
// where a run writes to is left out. Empty if they are alike.
std::vector<TableRow> CompareConfigs(const std::vector<RunReport>& runs);

// "" and each run's name: the head of such tables.
std::vector<std::string> ComparisonHead(const std::vector<RunReport>& runs);

// Both tables in aligned columns, for a terminal.
std::string ComparisonToText(const std::vector<RunReport>& runs);

}  // namespace segue

#endif  // SEGUE_TRAINER_REPORT_COMPARISON_H_
