#include "trainer/evaluation/report_html.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "trainer/evaluation/ranked_lists.h"

namespace segue {
namespace {

constexpr char kHead[] = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Segue training report</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem;
       margin: 2rem auto; padding: 0 1rem; color: #222; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; }
th, td { padding: .25rem .75rem; text-align: right;
         border-bottom: 1px solid #ddd; font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
small { color: #666; } .bad { color: #b00020; font-weight: 600; }
</style></head><body>
)";

std::string Escape(absl::string_view text) {
  return absl::StrReplaceAll(text,
                             {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}});
}

std::string Row(absl::string_view name, absl::string_view value) {
  return absl::StrCat("<tr><td>", name, "</td><td>", Escape(value),
                      "</td></tr>\n");
}

template <typename Map>
double At(const Map& map, int32_t k) {
  const auto found = map.find(absl::StrCat(k));
  return found == map.end() ? 0 : found->second;
}

template <typename Means, typename Intervals>
std::string WithInterval(const Means& means, const Intervals& intervals,
                         int32_t k) {
  const auto found = intervals.find(absl::StrCat(k));
  const v1::Interval interval =
      found == intervals.end() ? v1::Interval() : found->second;
  return absl::StrFormat("%.4f <small>%.4f&ndash;%.4f</small>", At(means, k),
                         interval.low(), interval.high());
}

std::string RankingTable(const v1::SplitReport& test) {
  std::string out =
      "<table><tr><th>k</th><th>recall, exact</th><th>NDCG, exact</th>"
      "<th>recall, index</th><th>overlap</th><th>most popular</th></tr>\n";
  for (int32_t k : kReportDepths) {
    absl::StrAppend(
        &out, "<tr><td>", k, "</td><td>",
        WithInterval(test.exact().recall(), test.exact().recall_interval(), k),
        "</td><td>",
        WithInterval(test.exact().ndcg(), test.exact().ndcg_interval(), k),
        "</td><td>", absl::StrFormat("%.4f", At(test.ann().recall(), k)),
        "</td><td>", absl::StrFormat("%.3f", At(test.ann().overlap(), k)),
        "</td><td>",
        absl::StrFormat("%.4f", At(test.baselines().popularity().recall(), k)),
        "</td></tr>\n");
  }
  return out + "</table>\n";
}

// The loss of each epoch as a line, and beneath it as numbers.
std::string LossPlot(const v1::TrainingReport& training) {
  const auto& loss = training.loss();
  if (loss.size() < 2) return "";
  const auto [low, high] = std::minmax_element(loss.begin(), loss.end());
  const double range = std::max(*high - *low, 1e-9);
  std::string points;
  for (int i = 0; i < loss.size(); ++i) {
    absl::StrAppendFormat(&points, "%.1f,%.1f ",
                          10 + 580.0 * i / (loss.size() - 1),
                          150 - 140 * (loss[i] - *low) / range);
  }
  return absl::StrFormat(
      "<svg viewBox=\"0 0 600 160\" width=\"600\" role=\"img\" "
      "aria-label=\"loss by epoch\"><polyline fill=\"none\" stroke=\"#2a6\" "
      "stroke-width=\"2\" points=\"%s\"/></svg>"
      "<p><small>Loss by epoch: from %.4f to %.4f.</small></p>\n",
      points, loss[0], loss[loss.size() - 1]);
}

}  // namespace

std::string ReportToHtml(const v1::Report& report) {
  const v1::DatasetReport& data = report.dataset();
  const v1::TrainingReport& training = report.training();
  const v1::SplitReport& test = report.evaluation().test();
  std::string out = kHead;
  absl::StrAppend(&out, "<h1>Training report</h1><p>Bundle ",
                  Escape(report.bundle_version()), "</p>\n");
  absl::StrAppend(
      &out, "<h2>Data</h2><table>\n", Row("users", absl::StrCat(data.users())),
      Row("items", absl::StrFormat("%d, %d of them in training", data.items(),
                                   data.items_in_training())),
      Row("events", absl::StrFormat("%.0f, %.0f of them for training",
                                    data.events(), data.training_events())),
      Row("rows read", absl::StrFormat("%.0f, %.0f filtered, %.0f with nulls",
                                       data.event_rows(), data.filtered_rows(),
                                       data.null_rows())),
      "</table>\n");
  absl::StrAppend(
      &out, "<h2>Training</h2><table>\n",
      Row("epochs", absl::StrFormat("%d, published: %d", training.epochs(),
                                    training.best_epoch())),
      Row("time", absl::StrFormat("%.0f s", training.seconds())),
      Row("speed",
          absl::StrFormat("%.0f examples/s", training.examples_per_second())),
      "</table>\n", LossPlot(training));
  absl::StrAppendFormat(
      &out,
      "<h2>Test, %d queries</h2>\n<p><small>The 95 %% interval is a "
      "bootstrap over users; overlap is the share of the exact top k that the "
      "index found.</small></p>\n",
      test.queries());
  if (At(test.exact().recall(), 100) <=
      At(test.baselines().popularity().recall(), 100)) {
    out +=
        "<p class=\"bad\">At k = 100 the model does not beat the most "
        "popular items.</p>\n";
  }
  absl::StrAppend(&out, RankingTable(test));
  absl::StrAppend(
      &out, "<h2>Index</h2><table>\n",
      Row("FAISS", report.index().description()),
      Row("nprobe, k_factor", absl::StrCat(report.index().nprobe(), ", ",
                                           report.index().k_factor())),
      Row("size", absl::StrFormat("%.1f MB", report.index().bytes() / 1e6)),
      Row("built in",
          absl::StrFormat("%.1f s", report.index().build_seconds())),
      "</table>\n</body></html>\n");
  return out;
}

}  // namespace segue
