#include "trainer/publish/republish_index.h"

#include <filesystem>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/bundle/bundle_reader.h"
#include "core/bundle/bundle_writer.h"
#include "core/bundle/layout.h"
#include "core/config/text_proto.h"
#include "core/index/faiss_index.h"
#include "core/retrieval/retriever.h"
#include "core/retrieval/serving_snapshot.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"
#include "trainer/evaluation/snapshot_answers.h"
#include "trainer/publish/exporter.h"
#include "trainer/publish/report_files.h"
#include "trainer/report/json.h"

namespace segue {
namespace {

// Every file but the index into the staging folder.
absl::Status CopyFiles(const Bundle& bundle, BundleWriter& writer) {
  const auto copy = [&](const v1::File& file, FileRole role) {
    std::error_code error;
    if (file.name() == layout::kIndex) return absl::OkStatus();
    std::filesystem::copy_file(bundle.Path(file.name()),
                               writer.Add(file.name(), role), error);
    if (!error) return absl::OkStatus();
    return absl::ErrnoToStatus(error.value(),
                               absl::StrCat("cannot copy ", file.name()));
  };
  for (const v1::File& file : bundle.content().files()) {
    RETURN_IF_ERROR(
        copy(file, file.served() ? FileRole::kServed : FileRole::kAuxiliary));
  }
  for (const v1::File& file : bundle.manifest().measured_files()) {
    RETURN_IF_ERROR(copy(file, FileRole::kMeasured));
  }
  return absl::OkStatus();
}

constexpr uint64_t kMaxTrainerFileBytes = 16 << 20;

// The index section of the staged trainer_config.textproto; none: nothing.
absl::Status UpdateTrainerConfig(const v1::IndexConfig& index,
                                 const BundleWriter& writer) {
  const std::string path =
      absl::StrCat(writer.staging_folder(), "/", layout::kTrainerConfig);
  if (!std::filesystem::exists(path)) return absl::OkStatus();
  v1::TrainerConfig config;
  RETURN_IF_ERROR(LoadTextProto(path, config));
  *config.mutable_index() = index;
  std::string text;
  google::protobuf::TextFormat::PrintToString(config, &text);
  return WriteFileAtomically(path, text);
}

// The staged report.json, after the index is another; none: nothing.
absl::Status UpdateReport(const BuiltIndex& built, const std::string& version,
                          const BundleWriter& writer) {
  const std::string path =
      absl::StrCat(writer.staging_folder(), "/", layout::kReport);
  if (!std::filesystem::exists(path)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string json,
                   ReadFile(path, kMaxTrainerFileBytes));
  v1::Report report;
  const auto parsed =
      google::protobuf::util::JsonStringToMessage(json, &report);
  if (!parsed.ok()) {
    return absl::DataLossError(absl::StrCat(
        layout::kReport, ": ",
        absl::string_view(parsed.message().data(), parsed.message().size())));
  }
  report.set_bundle_version(version);
  report.clear_index();
  FillIndexReport(built, *report.mutable_index());
  if (report.has_evaluation() && report.evaluation().has_test()) {
    v1::SplitReport& test = *report.mutable_evaluation()->mutable_test();
    test.clear_ann();
    test.clear_ann_recall_ratio();
    test.clear_ann_recall_ratio_interval();
  }
  FillLibraryVersions(report);
  ASSIGN_OR_RETURN(const std::string updated, ReportToJson(report));
  return WriteFileAtomically(path, updated);
}

}  // namespace

absl::StatusOr<std::string> RepublishIndex(const std::string& bundle_folder,
                                           const v1::TrainerConfig& config,
                                           int32_t threads,
                                           Progress& progress) {
  ASSIGN_OR_RETURN(const Bundle bundle,
                   OpenBundle(bundle_folder, VerifyScope::kAll));
  ASSIGN_OR_RETURN(const auto snapshot, LoadServingSnapshot(bundle));
  progress.Line(absl::StrCat("embedding ", snapshot->items.size(), " items"));
  ASSIGN_OR_RETURN(const std::vector<float> vectors,
                   EmbedCatalogue(*snapshot, threads));
  std::vector<ResolvedQuery> resolved;
  for (const v1::RetrieveRequest& request :
       snapshot->golden_requests.requests()) {
    ASSIGN_OR_RETURN(ResolvedQuery query, ResolveQuery(*snapshot, request));
    resolved.push_back(std::move(query));
  }
  std::vector<const ResolvedQuery*> pointers;
  for (const ResolvedQuery& query : resolved) pointers.push_back(&query);
  std::vector<float> queries;
  RETURN_IF_ERROR(EmbedQueries(*snapshot, pointers, queries));

  ASSIGN_OR_RETURN(auto writer, BundleWriter::Create(config.bundle_root()));
  RETURN_IF_ERROR(CopyFiles(bundle, *writer));
  v1::Content content = bundle.content();
  ASSIGN_OR_RETURN(const BuiltIndex built,
                   ExportIndex(
                       vectors, queries, config, threads,
                       [&](absl::string_view line) { progress.Line(line); },
                       *writer, content));
  progress.Line(absl::StrFormat("%s: %.1f MB, overlap %.3f", built.description,
                                built.bytes / 1e6, built.overlap));
  (*content.mutable_library_versions())["faiss"] = FaissVersion();
  RETURN_IF_ERROR(UpdateTrainerConfig(config.index(), *writer));
  ASSIGN_OR_RETURN(const v1::Manifest sealed, writer->Seal(content));
  RETURN_IF_ERROR(UpdateReport(built, sealed.version(), *writer));
  RETURN_IF_ERROR(writer->Seal(std::move(content)).status());
  RETURN_IF_ERROR(writer->Publish(config.publish().keep_versions()));
  return writer->published_version();
}

}  // namespace segue
