#include "trainer/publish/report_files.h"

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "google/protobuf/util/json_util.h"
#include "trainer/evaluation/report_html.h"
#include "trainer/publish/exporter.h"

namespace segue {

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
  return MessageToJson(report, /*spaced=*/true);
}

absl::Status WriteReport(const v1::Report& report, const std::string& folder) {
  ASSIGN_OR_RETURN(const std::string json, ReportToJson(report));
  RETURN_IF_ERROR(WriteFileAtomically(folder + "/report.json", json));
  return WriteFileAtomically(folder + "/report.html", ReportToHtml(report));
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
  report.set_nprobe(built.nprobe);
  report.set_k_factor(built.k_factor);
  report.set_tuned_overlap(built.overlap);
  for (const IndexTrial& trial : built.trials) {
    v1::IndexTrial& line = *report.add_trials();
    line.set_nprobe(trial.nprobe);
    line.set_k_factor(trial.k_factor);
    line.set_overlap(trial.overlap);
    line.set_microseconds_per_query(trial.microseconds_per_query);
  }
}

}  // namespace segue
