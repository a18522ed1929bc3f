#include "trainer/report/report_html.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "trainer/report/comparison.h"
#include "trainer/report/html.h"
#include "trainer/report/page.h"
#include "trainer/report/run_sections.h"
#include "trainer/report/test_sections.h"

namespace segue {
namespace {

// A chart in which at least one run has more than a point.
template <typename HasLine>
std::string ChartIfAny(const std::vector<RunReport>& runs, HasLine has_line,
                       absl::string_view name, absl::string_view caption) {
  const bool any =
      std::any_of(runs.begin(), runs.end(),
                  [&](const RunReport& run) { return has_line(run.report); });
  return any ? Chart(name, caption) : "";
}

PageSection CurvesSection(const std::vector<RunReport>& runs) {
  return {
      "training", "Training",
      ChartGrid(absl::StrCat(
          ChartIfAny(
              runs, [](auto& r) { return r.training().loss_size() > 1; },
              "loss", "Loss by epoch (large: published)"),
          ChartIfAny(
              runs,
              [](auto& r) { return r.training().validation_recall_size() > 1; },
              "validation", "Validation recall by epoch (large: published)")))};
}

PageSection TestCurvesSection(const std::vector<RunReport>& runs) {
  const auto exact = [](const v1::Report& report) -> const v1::RankingReport& {
    return report.evaluation().test().exact();
  };
  return {"test", "Test, exact search",
          ChartGrid(absl::StrCat(
              ChartIfAny(
                  runs, [&](auto& r) { return !exact(r).recall().empty(); },
                  "recall", "Recall by k"),
              ChartIfAny(
                  runs, [&](auto& r) { return !exact(r).ndcg().empty(); },
                  "ndcg", "NDCG by k"),
              ChartIfAny(
                  runs, [&](auto& r) { return !exact(r).coverage().empty(); },
                  "coverage", "Coverage by k"),
              ChartIfAny(
                  runs,
                  [&](auto& r) { return !exact(r).popularity_rank().empty(); },
                  "popularity", "Mean popularity rank by k")))};
}

PageSection IndexCurvesSection(const std::vector<RunReport>& runs) {
  return {
      "index", "Index",
      ChartGrid(absl::StrCat(
          ChartIfAny(
              runs,
              [](auto& r) {
                return !r.evaluation().test().ann().overlap().empty();
              },
              "kept", "Overlap of index and exact search by k"),
          ChartIfAny(
              runs, [](auto& r) { return r.index().trials_size() > 1; },
              "trials", "Overlap against latency in tuning (large: chosen)"),
          ChartIfAny(
              runs,
              [](auto& r) {
                return r.index().bytes() > 0 && r.dataset().items() > 0 &&
                       !r.evaluation().test().ann().recall().empty();
              },
              "bytes", "Recall@100 through the index against its size")))};
}

}  // namespace

absl::StatusOr<std::string> ReportToHtml(const v1::Report& report) {
  const v1::SplitReport& test = report.evaluation().test();
  const std::string intro =
      absl::StrCat("<p>Bundle <code>", EscapeHtml(report.bundle_version()),
                   "</code></p>\n", Summary(test));
  return MakePage(
      "Training report", intro,
      {DataSection(report), TrainingSection(report), TestSection(test),
       SlicesSection(test), IndexSection(report), AnswersSection(test),
       ExamplesSection(report.evaluation()), ConfigSection(report)},
      {{report.bundle_version(), report}});
}

absl::StatusOr<std::string> ComparisonToHtml(
    const std::vector<RunReport>& runs) {
  const std::vector<std::string> head = ComparisonHead(runs);
  return MakePage("Runs side by side", "",
                  {{"figures", "Figures", Table(head, CompareFigures(runs))},
                   TestCurvesSection(runs),
                   CurvesSection(runs),
                   IndexCurvesSection(runs),
                   {"config", "Where the configurations differ",
                    Table(head, CompareConfigs(runs))}},
                  runs);
}

}  // namespace segue
