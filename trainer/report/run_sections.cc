#include "trainer/report/run_sections.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "trainer/report/config_lines.h"
#include "trainer/report/figures.h"

namespace segue {
namespace {

std::string ReadText(const v1::DatasetReport& data) {
  return absl::StrCat(Count(data.event_rows()), ", of which ",
                      Count(data.filtered_rows()), " filtered, ",
                      Count(data.null_rows()), " with nulls, ",
                      Count(data.duplicate_events()), " twice the same");
}

std::vector<TableRow> EpochRows(const v1::TrainingReport& training) {
  std::vector<TableRow> rows;
  for (int i = 0; i < training.loss_size(); ++i) {
    const bool validated = i < training.validation_recall_size();
    const bool timed = i < training.epoch_seconds_size();
    rows.push_back(
        {{absl::StrCat(i + 1),
          i + 1 == training.best_epoch() ? "published" : ""},
         {absl::StrFormat("%.4f", training.loss(i))},
         {validated ? absl::StrFormat("%.4f", training.validation_recall(i))
                    : kNone},
         {timed ? absl::StrFormat("%.1f", training.epoch_seconds(i)) : kNone}});
  }
  return rows;
}

// The loss: what it is, what it came to, and the temperature of its logits.
void AddLoss(const v1::Report& report, std::vector<TableRow>& rows) {
  const v1::TrainingReport& training = report.training();
  const auto config = ConfigOf(report);
  if (!training.loss_kind().empty()) {
    rows.push_back({{"loss"}, {training.loss_kind()}});
  } else if (config) {
    rows.push_back({{"loss"}, {LossText(*config)}});
  }
  if (const auto loss = PublishedLoss(training)) {
    rows.push_back({{"loss of the published epoch"},
                    {absl::StrFormat("%.4f nats", *loss)}});
  }
  if (training.temperature() > 0) {
    Cell cell{absl::StrFormat("%.4g", training.temperature())};
    if (config) {
      cell.note = config->model().learn_temperature()
                      ? absl::StrFormat("learnt, from %.4g",
                                        config->model().temperature())
                      : "fixed";
    }
    rows.push_back({{"temperature"}, cell});
  }
}

std::vector<TableRow> WarmStartRows(const v1::WarmStartReport& earlier) {
  const auto text = [](int32_t known, int32_t others) {
    return absl::StrCat(Count(known), " known, ", Count(others), " new");
  };
  std::vector<TableRow> rows = {
      {{"begun from"}, {earlier.bundle_version()}},
      {{"its items"}, {text(earlier.known_items(), earlier.new_items())}},
      {{"its users"}, {text(earlier.known_users(), earlier.new_users())}}};
  if (earlier.trained_past_cut()) {
    rows.push_back({{"warning"},
                    {"that bundle was trained on later events than this "
                     "training: the figures may flatter"}});
  }
  return rows;
}

std::string TrainingCharts(const v1::Report& report) {
  const v1::TrainingReport& training = report.training();
  // One epoch is no line.
  std::string charts;
  if (training.loss_size() > 1) {
    charts += Chart("loss", "Loss by epoch (large: published)");
  }
  if (training.validation_recall_size() > 1) {
    const auto config = ConfigOf(report).value_or(v1::TrainerConfig());
    charts += Chart("validation", absl::StrCat("Validation recall@",
                                               config.training().validation_k(),
                                               " by epoch (large: published)"));
  }
  return ChartGrid(charts);
}

std::vector<TableRow> TrialRows(const v1::IndexReport& index) {
  std::vector<TableRow> rows;
  for (const v1::IndexTrial& trial : index.trials()) {
    const bool chosen = trial.nprobe() == index.nprobe() &&
                        trial.k_factor() == index.k_factor();
    rows.push_back({{absl::StrCat("@", trial.k(), ", nprobe ", trial.nprobe(),
                                  ", k_factor ", trial.k_factor()),
                     chosen ? "chosen" : ""},
                    {absl::StrFormat("%.4f", trial.overlap())},
                    {absl::StrFormat("%.0f", trial.microseconds_per_query())}});
  }
  return rows;
}

// What the test lost by asking the index instead of every item.
std::string KeptTable(const v1::SplitReport& test) {
  std::vector<TableRow> rows;
  for (int32_t k : Depths(test.ann())) {
    rows.push_back(
        {{absl::StrCat(k)},
         RecallAt(test.exact(), k),
         RecallAt(test.ann(), k),
         FigureAt(test.ann_recall_ratio(), test.ann_recall_ratio_interval(), k),
         FigureAt(test.ann().overlap(), k)});
  }
  return Table(
      {"k", "recall, exact", "recall, index", "index / exact", "overlap"},
      rows);
}

std::string IndexCharts(const v1::Report& report) {
  const v1::SplitReport& test = report.evaluation().test();
  std::string charts;
  if (!test.ann().overlap().empty()) {
    charts += Chart("kept", "What the index keeps of exact search");
  }
  if (report.index().trials_size() > 1) {
    charts +=
        Chart("trials", "Overlap against latency in tuning (large: chosen)");
  }
  return ChartGrid(charts);
}

std::vector<TableRow> IndexRows(const v1::Report& report) {
  const v1::IndexReport& index = report.index();
  Cell size = {Megabytes(index.bytes())};
  if (report.dataset().items() > 0) {
    size.note = absl::StrFormat("%.0f bytes an item",
                                index.bytes() / report.dataset().items());
  }
  std::vector<TableRow> rows = {
      {{"FAISS"}, {index.description()}},
      {{"size"}, size},
      {{"built in"}, {Seconds(index.build_seconds())}}};
  if (index.nprobe() > 0) {
    rows.push_back({{"nprobe, k_factor"},
                    {absl::StrCat(index.nprobe(), ", ", index.k_factor())}});
    Cell tuned = {absl::StrFormat("%.4f", index.tuned_overlap())};
    if (index.microseconds_per_query() > 0) {
      tuned.note =
          absl::StrFormat("%.0f us a query", index.microseconds_per_query());
    }
    rows.push_back({{"overlap when tuned"}, tuned});
  }
  if (index.has_losses()) {
    const auto lost = [&](const char* where, double share) {
      rows.push_back({{where}, {absl::StrFormat("%.4f", share)}});
    };
    lost("lost in cells not searched", index.losses().cells());
    lost("lost by codes", index.losses().codes());
    lost("lost by refinement", index.losses().refinement());
  }
  return rows;
}

std::vector<TableRow> FilterRows(const v1::IndexReport& index) {
  std::vector<TableRow> rows;
  for (const v1::IndexFilter& tried : index.filters()) {
    rows.push_back(
        {{absl::StrFormat("%g %% of the items", 100 * tried.share())},
         {absl::StrFormat("%.4f", tried.overlap())},
         {absl::StrFormat("%.0f", tried.microseconds_per_query())}});
  }
  return rows;
}

std::vector<TableRow> StructureRows(const v1::IndexReport& index) {
  std::vector<TableRow> rows;
  for (const v1::IndexStructure& tried : index.structures()) {
    rows.push_back({{tried.description(),
                     tried.description() == index.description() ? "built" : ""},
                    {absl::StrFormat("%.0f", tried.bytes_per_item())},
                    {absl::StrFormat("%.4f", tried.overlap())},
                    {absl::StrFormat("%.0f", tried.cost() / 1000)}});
  }
  return rows;
}

}  // namespace

PageSection DataSection(const v1::Report& report) {
  PageSection section{"data", "Data and split"};
  if (!report.has_dataset()) return section;
  const v1::DatasetReport& data = report.dataset();
  const auto config = ConfigOf(report);
  std::vector<TableRow> rows;
  if (config) {
    rows.push_back({{"events from"}, {config->events().path()}});
    if (!config->items().path().empty()) {
      rows.push_back({{"items from"}, {config->items().path()}});
    }
  }
  if (!data.split().empty() || config) {
    rows.push_back(
        {{"split"},
         {data.split().empty() ? SplitText(*config) : data.split()}});
  }
  rows.push_back({{"users"}, {Count(data.users())}});
  rows.push_back(
      {{"items"},
       {Count(data.items()),
        absl::StrCat(Count(data.items_in_training()), " in training")}});
  rows.push_back(
      {{"events"},
       {Count(data.events()),
        absl::StrCat(Count(data.training_events()), " for training")}});
  rows.push_back({{"rows read"}, {ReadText(data)}});
  if (data.dropped_users() > 0) {
    rows.push_back({{"users with too few events"},
                    {Count(data.dropped_users()),
                     absl::StrCat(Count(data.dropped_events()), " events")}});
  }
  if (data.items_without_row() > 0) {
    rows.push_back(
        {{"items without a row"}, {Count(data.items_without_row())}});
  }
  section.body = Table({}, rows);
  return section;
}

PageSection TrainingSection(const v1::Report& report) {
  PageSection section{"training", "Training"};
  const v1::TrainingReport& training = report.training();
  if (training.epochs() == 0) return section;
  std::vector<TableRow> rows = {
      {{"epochs"},
       {absl::StrCat(training.epochs()),
        training.best_epoch() > 0
            ? absl::StrCat("published: ", training.best_epoch())
            : ""}},
      {{"time"}, {Seconds(training.seconds())}},
      {{"speed"},
       {absl::StrCat(Count(training.examples_per_second()), " examples/s")}},
      {{"examples an epoch"}, {Count(training.examples_per_epoch())}},
      {{"steps"}, {Count(training.steps())}}};
  AddLoss(report, rows);
  if (training.has_warm_start()) {
    for (TableRow& row : WarmStartRows(training.warm_start())) {
      rows.push_back(std::move(row));
    }
  }
  section.body = absl::StrCat(
      Table({}, rows), TrainingCharts(report),
      Folded("Each epoch",
             Table({"epoch", "loss (nats)", "validation recall", "seconds"},
                   EpochRows(training))));
  return section;
}

PageSection IndexSection(const v1::Report& report) {
  PageSection section{"index", "Index"};
  if (report.index().description().empty()) return section;
  const std::string kept = KeptTable(report.evaluation().test());
  section.body = Table({}, IndexRows(report)) + IndexCharts(report);
  if (!kept.empty()) {
    absl::StrAppend(&section.body, kept,
                    Paragraph("Overlap is the share of the exact top k that "
                              "the index found; index / exact is the ratio of "
                              "their recalls."));
  }
  if (report.index().filters_size() > 0) {
    absl::StrAppend(&section.body, Table({"filter keeps", "overlap among these",
                                          "microseconds a query"},
                                         FilterRows(report.index())));
  }
  if (report.index().structures_size() > 0) {
    section.body += Folded(
        "Structures, tried on a part of the items",
        Table({"structure", "bytes an item", "overlap", "estimated cost"},
              StructureRows(report.index())));
  }
  section.body += Folded("What the tuner tried",
                         Table({"setting", "overlap", "microseconds a query"},
                               TrialRows(report.index())));
  return section;
}

PageSection ConfigSection(const v1::Report& report) {
  PageSection section{"config", "Configuration and versions"};
  const auto config = ConfigOf(report);
  std::vector<TableRow> rows;
  if (report.seed() > 0 || config) {
    rows.push_back(
        {{"seed"},
         {absl::StrCat(report.seed() > 0 || !config ? report.seed()
                                                    : config->seed())}});
  }
  const std::map<std::string, std::string> versions(
      report.library_versions().begin(), report.library_versions().end());
  for (const auto& [name, version] : versions) {
    rows.push_back({{name}, {version}});
  }
  section.body = Table({}, rows);
  if (!report.config().empty()) {
    absl::StrAppend(&section.body, "<pre>", EscapeHtml(report.config()),
                    "</pre>\n");
  }
  if (config) {
    rows.clear();
    for (const auto& [path, value] : ConfigLines(*config)) {
      rows.push_back({{path}, {value}});
    }
    section.body += Folded("Every setting, defaults included", Table({}, rows));
  }
  return section;
}

}  // namespace segue
