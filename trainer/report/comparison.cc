#include "trainer/report/comparison.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "trainer/report/config_lines.h"
#include "trainer/report/figures.h"

namespace segue {
namespace {

using CellOf = std::function<Cell(const v1::Report&)>;

Cell SplitCell(const v1::Report& report) {
  const auto config = ConfigOf(report);
  return {config ? SplitText(*config) : kNone};
}

Cell EpochsCell(const v1::Report& report) {
  const v1::TrainingReport& training = report.training();
  if (training.epochs() == 0) return {kNone};
  Cell cell{absl::StrCat(training.epochs())};
  if (training.best_epoch() > 0) {
    cell.note = absl::StrCat("published: ", training.best_epoch());
  }
  return cell;
}

Cell BestBaseline(const v1::SplitReport& test, int32_t k) {
  Cell best{kNone};
  double highest = -1;
  for (const NamedRanking& baseline : BaselinesOf(test)) {
    const double recall = At(baseline.ranking->recall(), k).value_or(-1);
    if (recall <= highest) continue;
    highest = recall;
    best = {absl::StrFormat("%.4f", recall), baseline.name};
  }
  return best;
}

Cell LossesCell(const v1::SplitReport& test) {
  if (test.exact().recall().empty()) return {kNone};
  const std::vector<std::string> names = LostTo(test);
  if (names.empty()) return {"no baseline"};
  return {.text = absl::StrJoin(names, ", "), .bad = true};
}

Cell IndexSize(const v1::Report& report) {
  if (report.index().bytes() == 0) return {kNone};
  Cell cell{Megabytes(report.index().bytes())};
  if (report.dataset().items() > 0) {
    cell.note =
        absl::StrFormat("%.0f bytes an item",
                        report.index().bytes() / report.dataset().items());
  }
  return cell;
}

// `text` unless the figure behind it is missing, which reads as 0.
CellOf NonZero(std::function<double(const v1::Report&)> value,
               std::function<std::string(double)> text) {
  return [value = std::move(value),
          text = std::move(text)](const v1::Report& report) -> Cell {
    return {value(report) == 0 ? kNone : text(value(report))};
  };
}

// A figure of the test.
CellOf Test(std::function<Cell(const v1::SplitReport&)> cell) {
  return [cell = std::move(cell)](const v1::Report& report) {
    return cell(report.evaluation().test());
  };
}

Cell LossCell(const v1::Report& report) {
  const auto loss = PublishedLoss(report.training());
  return {loss ? absl::StrFormat("%.4f", *loss) : kNone};
}

Cell LossKindCell(const v1::Report& report) {
  if (!report.training().loss_kind().empty()) {
    return {report.training().loss_kind()};
  }
  const auto config = ConfigOf(report);
  return {config ? LossText(*config) : kNone};
}

Cell UnseenCell(const v1::SplitReport& test) {
  if (test.items() == 0) return {kNone};
  const v1::SliceReport* slice = UnseenSlice(test);
  return {Count(test.unseen_items()),
          absl::StrCat("queries: ", Count(slice ? slice->queries() : 0))};
}

// Recall on the queries that ask for items not seen in training.
CellOf UnseenRecall(int32_t k) {
  return Test([k](const v1::SplitReport& test) -> Cell {
    const v1::SliceReport* slice = UnseenSlice(test);
    return slice ? RecallAt(slice->exact(), k) : Cell{kNone};
  });
}

std::vector<std::pair<std::string, CellOf>> DataRows() {
  return {
      {"users", NonZero([](auto& r) { return r.dataset().users(); }, Count)},
      {"items", NonZero([](auto& r) { return r.dataset().items(); }, Count)},
      {"events", NonZero([](auto& r) { return r.dataset().events(); }, Count)},
      {"split", SplitCell},
      {"epochs", EpochsCell},
      {"training time",
       NonZero([](auto& r) { return r.training().seconds(); }, Seconds)},
      {"examples/s",
       NonZero([](auto& r) { return r.training().examples_per_second(); },
               Count)},
      {"loss", LossKindCell},
      {"loss, published epoch", LossCell},
      {"temperature",
       NonZero([](auto& r) { return r.training().temperature(); },
               [](double value) { return absl::StrFormat("%.4g", value); })},
      {"test queries",
       NonZero([](auto& r) { return r.evaluation().test().queries(); },
               Count)}};
}

std::vector<std::pair<std::string, CellOf>> TestRows() {
  return {
      {"recall@10", Test([](auto& t) { return RecallAt(t.exact(), 10); })},
      {"recall@100", Test([](auto& t) { return RecallAt(t.exact(), 100); })},
      {"NDCG@10", Test([](auto& t) { return NdcgAt(t.exact(), 10); })},
      {"best baseline @10", Test([](auto& t) { return BestBaseline(t, 10); })},
      {"best baseline @100",
       Test([](auto& t) { return BestBaseline(t, 100); })},
      {"loses to", Test(LossesCell)},
      {"items not in training", Test(UnseenCell)},
      {"recall@10 of these", UnseenRecall(10)},
      {"recall@100 of these", UnseenRecall(100)},
      {"index/exact recall@100", Test([](auto& t) {
         return FigureAt(t.ann_recall_ratio(), t.ann_recall_ratio_interval(),
                         100);
       })},
      {"overlap@100",
       Test([](auto& t) { return FigureAt(t.ann().overlap(), 100); })},
      {"index",
       [](auto& r) -> Cell {
         const std::string& description = r.index().description();
         return {description.empty() ? kNone : description};
       }},
      {"index size", IndexSize},
      {"coverage@10",
       Test([](auto& t) { return FigureAt(t.exact().coverage(), 10); })}};
}

// A cell as plain text: "0.2811 [0.2700, 0.2920]", "3 (published: 2)".
std::string Plain(const Cell& cell) {
  if (cell.note.empty()) return cell.text;
  if (cell.note.front() == '[') return absl::StrCat(cell.text, " ", cell.note);
  return absl::StrCat(cell.text, " (", cell.note, ")");
}

std::string Aligned(const std::vector<TableRow>& rows) {
  std::vector<size_t> widths;
  for (const TableRow& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], Plain(row[i]).size());
    }
  }
  std::string out;
  for (const TableRow& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      absl::StrAppendFormat(&line, "%-*s  ", static_cast<int>(widths[i]),
                            Plain(row[i]));
    }
    absl::StrAppend(&out, absl::StripTrailingAsciiWhitespace(line), "\n");
  }
  return out;
}

}  // namespace

std::vector<TableRow> CompareFigures(const std::vector<RunReport>& runs) {
  auto named = DataRows();
  for (auto& row : TestRows()) named.push_back(std::move(row));
  std::vector<TableRow> rows;
  for (const auto& [name, cell_of] : named) {
    rows.push_back({{name}});
    for (const RunReport& run : runs)
      rows.back().push_back(cell_of(run.report));
  }
  return rows;
}

std::vector<TableRow> CompareConfigs(const std::vector<RunReport>& runs) {
  std::vector<std::map<std::string, std::string>> configs;
  std::set<std::string> paths;
  for (const RunReport& run : runs) {
    const auto config = ConfigOf(run.report);
    configs.push_back(config ? ConfigLines(*config)
                             : std::map<std::string, std::string>());
    for (const auto& [path, value] : configs.back()) paths.insert(path);
  }
  paths.erase("run_dir");
  paths.erase("bundle_root");
  std::vector<TableRow> rows;
  for (const std::string& path : paths) {
    TableRow row = {{path}};
    std::set<std::string> values;
    for (const auto& config : configs) {
      const auto found = config.find(path);
      row.push_back({found == config.end() ? kNone : found->second});
      // A run whose configuration is not known differs in nothing.
      if (!config.empty()) values.insert(row.back().text);
    }
    if (values.size() > 1) rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<std::string> ComparisonHead(const std::vector<RunReport>& runs) {
  std::vector<std::string> head = {""};
  for (const RunReport& run : runs) head.push_back(run.name);
  return head;
}

std::string ComparisonToText(const std::vector<RunReport>& runs) {
  TableRow head;
  for (const std::string& name : ComparisonHead(runs)) head.push_back({name});
  std::vector<TableRow> rows = {head};
  for (TableRow& row : CompareFigures(runs)) rows.push_back(std::move(row));
  const std::vector<TableRow> configs = CompareConfigs(runs);
  if (!configs.empty()) rows.push_back({{""}});
  rows.insert(rows.end(), configs.begin(), configs.end());
  return Aligned(rows);
}

}  // namespace segue
