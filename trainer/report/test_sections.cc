#include "trainer/report/test_sections.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "trainer/report/figures.h"

namespace segue {
namespace {

// The model's two lists and the baselines, as far as they were measured.
std::vector<NamedRanking> Lists(const v1::SplitReport& test) {
  std::vector<NamedRanking> lists;
  if (!test.exact().recall().empty()) {
    lists.push_back({"the model, exact", &test.exact()});
  }
  if (!test.ann().recall().empty()) {
    lists.push_back({"through the index", &test.ann()});
  }
  for (NamedRanking& baseline : BaselinesOf(test)) lists.push_back(baseline);
  return lists;
}

// A row a list; red where a baseline is above the model.
std::string ListsTable(const v1::SplitReport& test) {
  std::vector<TableRow> rows;
  for (const NamedRanking& list : Lists(test)) {
    TableRow row = {{list.name}};
    for (int32_t k : {10, 100}) {
      row.push_back(RecallAt(*list.ranking, k));
      row.back().bad = list.ranking != &test.ann() &&
                       At(list.ranking->recall(), k).value_or(0) >
                           At(test.exact().recall(), k).value_or(0);
    }
    for (int32_t k : {10, 100}) row.push_back(NdcgAt(*list.ranking, k));
    row.push_back(
        list.ranking->has_mrr_interval()
            ? Figure(list.ranking->mrr(), list.ranking->mrr_interval())
            : Cell{kNone});
    rows.push_back(std::move(row));
  }
  return Table({"", "recall@10", "recall@100", "NDCG@10", "NDCG@100", "MRR"},
               rows);
}

std::string DepthsTable(const v1::SplitReport& test) {
  const std::vector<NamedRanking> baselines = BaselinesOf(test);
  std::vector<std::string> head = {"k", "recall, exact", "NDCG, exact",
                                   "hit rate, exact", "recall, index"};
  for (const NamedRanking& baseline : baselines) {
    head.push_back(absl::StrCat("recall, ", baseline.name));
  }
  std::vector<TableRow> rows;
  for (int32_t k : Depths(test.exact())) {
    TableRow row = {{absl::StrCat(k)},
                    RecallAt(test.exact(), k),
                    NdcgAt(test.exact(), k),
                    FigureAt(test.exact().hit_rate(), k),
                    FigureAt(test.ann().recall(), k)};
    for (const NamedRanking& baseline : baselines) {
      row.push_back(FigureAt(baseline.ranking->recall(), k));
    }
    rows.push_back(std::move(row));
  }
  return Table(head, rows);
}

std::string Label(const v1::ExampleItem& item) {
  std::vector<std::string> parts;
  for (const std::string& text : item.display()) {
    if (!text.empty()) parts.push_back(text);
  }
  return EscapeHtml(parts.empty() ? item.id() : absl::StrJoin(parts, " - "));
}

std::string ItemLine(const v1::ExampleItem& item, bool is_target, bool scored) {
  return absl::StrCat(
      "<li", is_target ? " class=\"hit\"" : "", " title=\"",
      EscapeHtml(item.id()), "\">", Label(item),
      scored ? absl::StrFormat(" <small>%.3f</small>", item.score()) : "",
      is_target ? " <strong>chosen</strong>" : "", "</li>\n");
}

std::string Example(const v1::ExampleReport& example) {
  std::string history, answers;
  for (const v1::ExampleItem& item : example.history()) {
    history += ItemLine(item, /*is_target=*/false, /*scored=*/false);
  }
  for (const v1::ExampleItem& item : example.answers()) {
    answers += ItemLine(item, item.id() == example.target().id(),
                        /*scored=*/true);
  }
  return absl::StrCat(
      "<article>\n<h3>User ", EscapeHtml(example.user()),
      "</h3>\n<p>Then came: <strong>", Label(example.target()), "</strong>, ",
      example.target_rank() > 0
          ? absl::StrCat("ranked ", Count(example.target_rank()))
          : "not found",
      "</p>\n<div><div><h4>History, newest last</h4><ul>\n", history,
      "</ul></div>\n<div><h4>Answers, best first</h4><ol>\n", answers,
      "</ol></div></div>\n</article>\n");
}

// "history length: 1-5", "new item".
std::string SliceName(const v1::SliceReport& slice) {
  if (slice.label() == "yes") return slice.dimension();
  return absl::StrCat(slice.dimension(), ": ", slice.label());
}

// How well items are found that training has not seen: known by their features
// alone.
std::string UnseenItems(const v1::SplitReport& test) {
  if (test.items() == 0) return "";
  std::vector<TableRow> rows = {
      {{"of the catalogue"},
       {absl::StrCat(Count(test.unseen_items()), " of ", Count(test.items()),
                     " items"),
        absl::StrFormat("%.1f %%", 100. * test.unseen_items() / test.items())}},
  };
  const v1::SliceReport* slice = UnseenSlice(test);
  rows.push_back({{"queries that ask for one"},
                  {absl::StrCat(Count(slice ? slice->queries() : 0), " of ",
                                Count(test.queries()))}});
  for (const int32_t k : {10, 100}) {
    if (slice == nullptr) break;
    rows.push_back({{absl::StrCat("recall@", k)}, RecallAt(slice->exact(), k)});
    rows.push_back({{absl::StrCat("recall@", k, ", best baseline")},
                    BestBaseline(*slice, k)});
    rows.push_back(
        {{absl::StrCat("recall@", k, " of answers by chance")},
         {absl::StrFormat("%.4f", std::min(1., 1. * k / test.items()))}});
  }
  return absl::StrCat(
      "<h3>Items not seen in training</h3>\n",
      Paragraph("The model knows them by their features alone. Baselines rank "
                "by training events, of which these items have none: they come "
                "after all others."),
      Table({}, rows));
}

// The dimensions in the order in which the report has them.
std::vector<std::string> Dimensions(const v1::SplitReport& test) {
  std::vector<std::string> names;
  for (const v1::SliceReport& slice : test.slices()) {
    if (std::find(names.begin(), names.end(), slice.dimension()) ==
        names.end()) {
      names.push_back(slice.dimension());
    }
  }
  return names;
}

}  // namespace

std::string Summary(const v1::SplitReport& test) {
  if (test.exact().recall().empty()) return "";
  std::string out;
  const std::vector<std::string> losses = LostTo(test);
  if (!losses.empty()) {
    out = absl::StrCat("<p class=\"bad\" role=\"alert\">The model loses to: ",
                       EscapeHtml(absl::StrJoin(losses, ", ")),
                       " (recall@10 or recall@100).</p>\n");
  }
  absl::StrAppend(&out, "<dl class=\"tiles\">\n",
                  Tile("recall@10", RecallAt(test.exact(), 10)),
                  Tile("recall@100", RecallAt(test.exact(), 100)),
                  Tile("NDCG@10", NdcgAt(test.exact(), 10)));
  if (!test.ann_recall_ratio().empty()) {
    absl::StrAppend(&out,
                    Tile("index / exact, recall@100",
                         FigureAt(test.ann_recall_ratio(),
                                  test.ann_recall_ratio_interval(), 100)));
  }
  if (!test.exact().coverage().empty()) {
    absl::StrAppend(&out,
                    Tile("coverage@10", FigureAt(test.exact().coverage(), 10)));
  }
  if (const v1::SliceReport* unseen = UnseenSlice(test)) {
    absl::StrAppend(&out, Tile("recall@100, items not in training",
                               RecallAt(unseen->exact(), 100)));
  }
  return out + "</dl>\n";
}

PageSection TestSection(const v1::SplitReport& test) {
  PageSection section{"test", "Test, beside baselines"};
  if (test.exact().recall().empty()) return section;
  std::string count = absl::StrCat(Count(test.queries()), " queries");
  if (test.users() > 0) {
    absl::StrAppend(&count, " of ", Count(test.users()), " users");
  }
  section.body = absl::StrCat(
      Paragraph(count + ". In brackets, and as bands: 95 % intervals, a "
                        "bootstrap over users."),
      ListsTable(test),
      ChartGrid(Chart("recall", "Recall by k") + Chart("ndcg", "NDCG by k")),
      Folded("Each k", DepthsTable(test)));
  return section;
}

PageSection SlicesSection(const v1::SplitReport& test) {
  PageSection section{"slices", "Slices"};
  std::string charts;
  std::vector<TableRow> rows;
  for (const std::string& dimension : Dimensions(test)) {
    const size_t before = rows.size();
    for (const v1::SliceReport& slice : test.slices()) {
      if (slice.dimension() != dimension) continue;
      rows.push_back({{SliceName(slice)},
                      {Count(slice.queries())},
                      RecallAt(slice.exact(), 10),
                      BestBaseline(slice, 10),
                      RecallAt(slice.exact(), 100),
                      BestBaseline(slice, 100)});
    }
    // One bar compares nothing.
    if (rows.size() > before + 1) {
      charts +=
          Chart("slices", absl::StrCat("Recall by ", dimension), dimension);
    }
  }
  if (rows.empty()) return section;
  section.body = absl::StrCat(
      Paragraph("Parts of the test queries, exact search. New users and new "
                "items are those without training events. Few queries make "
                "wide intervals."),
      ChartGrid(charts),
      Table({"slice", "queries", "recall@10", "best baseline @10", "recall@100",
             "best baseline @100"},
            rows),
      UnseenItems(test));
  return section;
}

PageSection AnswersSection(const v1::SplitReport& test) {
  PageSection section{"answers", "What is recommended"};
  std::vector<TableRow> rows;
  for (const NamedRanking& list : Lists(test)) {
    const FiguresByK& coverage = list.ranking->coverage();
    const FiguresByK& rank = list.ranking->popularity_rank();
    if (coverage.empty() && rank.empty()) continue;
    rows.push_back({{list.name},
                    FigureAt(coverage, 10),
                    FigureAt(coverage, 100),
                    FigureAt(rank, 10),
                    FigureAt(rank, 100)});
  }
  if (rows.empty()) return section;
  section.body = absl::StrCat(
      Paragraph("Coverage is the share of the catalogue that is in at least "
                "one answer. The popularity rank of an item is the share of "
                "the catalogue that is a target more often in training: 0 for "
                "the most "
                "popular item, 0.5 on average where popularity does not "
                "count."),
      ChartGrid(Chart("coverage", "Coverage by k") +
                Chart("popularity", "Mean popularity rank by k")),
      Table({"", "coverage@10", "coverage@100", "popularity rank@10",
             "popularity rank@100"},
            rows));
  return section;
}

PageSection ExamplesSection(const v1::EvaluationReport& evaluation) {
  PageSection section{"examples", "Examples"};
  for (const v1::ExampleReport& example : evaluation.examples()) {
    section.body += Example(example);
  }
  return section;
}

}  // namespace segue
