#include "trainer/publish/report_files.h"

#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "google/protobuf/text_format.h"
#include "trainer/publish/bundle_files.h"
#include "trainer/publish/exporter.h"
#include "trainer/report/config_lines.h"
#include "trainer/report/json.h"
#include "trainer/report/report_html.h"

namespace segue {

absl::Status WriteReport(const v1::Report& report, const std::string& folder) {
  ASSIGN_OR_RETURN(const std::string json, ReportToJson(report));
  RETURN_IF_ERROR(WriteFileAtomically(folder + "/report.json", json));
  ASSIGN_OR_RETURN(const std::string html, ReportToHtml(report));
  return WriteFileAtomically(folder + "/report.html", html);
}

void DescribeRun(const v1::TrainerConfig& config, v1::Report& report) {
  v1::TrainerConfig told = config;
  LeaveOutSigningKey(told);
  google::protobuf::TextFormat::PrintToString(told, report.mutable_config());
  report.set_seed(config.seed());
  report.mutable_dataset()->set_split(SplitText(config));
  report.mutable_training()->set_loss_kind(LossText(config));
  FillLibraryVersions(report);
}

void FillLibraryVersions(v1::Report& report) {
  for (const auto& [name, version] : LibraryVersions()) {
    (*report.mutable_library_versions())[name] = version;
  }
}

void FillIndexReport(const BuiltIndex& built, v1::IndexReport& report) {
  report.set_description(built.description);
  report.set_bytes(static_cast<double>(built.bytes));
  report.set_build_seconds(built.build_seconds);
  report.set_nprobe(built.effort.nprobe);
  report.set_k_factor(built.effort.k_factor);
  report.set_tuned_overlap(built.overlap);
  for (const IndexTrial& trial : built.trials) {
    v1::IndexTrial& line = *report.add_trials();
    line.set_nprobe(trial.effort.nprobe);
    line.set_k_factor(trial.effort.k_factor);
    line.set_overlap(trial.overlap);
    line.set_microseconds_per_query(trial.microseconds_per_query);
    line.set_k(trial.k);
  }
  report.set_microseconds_per_query(built.microseconds_per_query);
  report.mutable_losses()->set_cells(built.losses.cells);
  report.mutable_losses()->set_codes(built.losses.codes);
  report.mutable_losses()->set_refinement(built.losses.refinement);
  for (const FilterTrial& tried : built.filters) {
    v1::IndexFilter& line = *report.add_filters();
    line.set_share(tried.share);
    line.set_overlap(tried.overlap);
    line.set_microseconds_per_query(tried.microseconds_per_query);
  }
  if (built.structures.size() < 2) return;
  for (const StructureTrial& tried : built.structures) {
    v1::IndexStructure& line = *report.add_structures();
    line.set_description(tried.plan.factory);
    line.set_bytes_per_item(tried.bytes_per_item);
    line.set_overlap(tried.overlap);
    line.set_cost(tried.cost);
  }
}

void ReplaceIndexReport(const BuiltIndex& built, v1::Report& report) {
  report.clear_index();
  report.clear_refreshes();
  FillIndexReport(built, *report.mutable_index());
  if (report.has_evaluation() && report.evaluation().has_test()) {
    v1::SplitReport& test = *report.mutable_evaluation()->mutable_test();
    test.clear_ann();
    test.clear_ann_recall_ratio();
    test.clear_ann_recall_ratio_interval();
  }
  FillLibraryVersions(report);
}

}  // namespace segue
