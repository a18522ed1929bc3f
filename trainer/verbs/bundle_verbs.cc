// evaluate, index, refresh, inspect: what can be done to a published bundle.
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/bundle/bundle_reader.h"
#include "core/bundle/layout.h"
#include "core/bundle/manifest.h"
#include "core/config/text_proto.h"
#include "core/retrieval/serving_snapshot.h"
#include "trainer/config/config_validation.h"
#include "trainer/config/empty_paths.h"
#include "trainer/data/dataset_reader.h"
#include "trainer/evaluation/evaluator.h"
#include "trainer/publish/bundle_files.h"
#include "trainer/publish/exporter.h"
#include "trainer/publish/republish_index.h"
#include "trainer/report/json.h"
#include "trainer/verbs/threads.h"
#include "trainer/verbs/verbs.h"

namespace segue {
namespace {

constexpr uint64_t kMaxConfigBytes = uint64_t{1} << 20;

}  // namespace

absl::StatusOr<std::string> ResolveBundle(const std::string& bundle) {
  std::error_code error;
  if (std::filesystem::exists(absl::StrCat(bundle, "/", layout::kManifest),
                              error)) {
    return bundle;
  }
  const auto version = ReadCurrentVersion(bundle);
  if (version.ok()) return absl::StrCat(bundle, "/", *version);
  return absl::NotFoundError(
      absl::StrCat(bundle, " is neither a bundle (no ", layout::kManifest,
                   ") nor a bundle root: ", version.status().message()));
}

absl::StatusOr<v1::TrainerConfig> ConfigOfBundle(
    const std::string& bundle_folder, const std::string& trusted_keys_file) {
  ASSIGN_OR_RETURN(const OpenOptions options, SignedBy(trusted_keys_file));
  ASSIGN_OR_RETURN(const Bundle bundle,
                   OpenBundle(bundle_folder, VerifyScope::kManifest, options));
  const auto text =
      ReadListedFile(bundle, layout::kTrainerConfig, kMaxConfigBytes);
  if (absl::IsFailedPrecondition(text.status())) {
    return absl::FailedPreconditionError(
        absl::StrCat(text.status().message(), "; name one with --config"));
  }
  RETURN_IF_ERROR(text.status());
  v1::TrainerConfig config;
  RETURN_IF_ERROR(
      ParseTextProto(*text, bundle.Path(layout::kTrainerConfig), config));
  config.clear_run_dir();
  config.clear_bundle_root();
  LeaveOutSigningKey(config);
  return config;
}

absl::Status RunEvaluate(const std::string& bundle_folder,
                         const std::string& trusted_keys_file,
                         v1::TrainerConfig config) {
  LeaveOutEmptyPaths(config);
  RETURN_IF_ERROR(ValidateTrainerConfig(config));
  const int32_t threads = UseThreads(config);
  Progress progress("");
  const auto line = [&](absl::string_view text) { progress.Line(text); };
  ASSIGN_OR_RETURN(const OpenOptions source, SignedBy(trusted_keys_file));
  ASSIGN_OR_RETURN(const Bundle bundle,
                   OpenBundle(bundle_folder, VerifyScope::kServed, source));
  ASSIGN_OR_RETURN(const auto snapshot, LoadServingSnapshot(bundle));
  ASSIGN_OR_RETURN(const Dataset data, ReadDataset(config, line));
  ASSIGN_OR_RETURN(const Split split,
                   SplitEvents(data.log, data.items.size(), config));
  v1::Report report;
  report.set_bundle_version(bundle.version());
  ASSIGN_OR_RETURN(
      *report.mutable_evaluation(),
      EvaluateSnapshot(*snapshot, data, split, config, threads, line));
  ASSIGN_OR_RETURN(const std::string json, ReportToJson(report));
  std::fputs(json.c_str(), stdout);
  return absl::OkStatus();
}

absl::Status RunIndex(const std::string& bundle_folder,
                      const std::string& trusted_keys_file,
                      v1::TrainerConfig config) {
  LeaveOutEmptyPaths(config);
  RETURN_IF_ERROR(ValidateTrainerConfig(config));
  Progress progress("");
  ASSIGN_OR_RETURN(const OpenOptions source,
                   SourceOptions(config, trusted_keys_file));
  ASSIGN_OR_RETURN(const std::string version,
                   RepublishIndex(bundle_folder, source, config,
                                  UseThreads(config), progress));
  std::printf("%s/%s\n", config.bundle_root().c_str(), version.c_str());
  return absl::OkStatus();
}

absl::Status RunRefresh(const std::string& bundle_folder,
                        const std::string& trusted_keys_file,
                        v1::TrainerConfig config,
                        const RefreshOptions& options) {
  LeaveOutEmptyPaths(config);
  RETURN_IF_ERROR(ValidateTrainerConfig(config));
  Progress progress("");
  ASSIGN_OR_RETURN(const OpenOptions source,
                   SourceOptions(config, trusted_keys_file));
  ASSIGN_OR_RETURN(const Refreshed refreshed,
                   RefreshBundle(bundle_folder, source, config, options,
                                 UseThreads(config), progress));
  ASSIGN_OR_RETURN(const std::string json, MessageToJson(refreshed.report,
                                                         /*spaced=*/true));
  std::fputs(json.c_str(), stdout);
  progress.Line(
      absl::StrCat("published ", config.bundle_root(), "/", refreshed.version));
  return absl::OkStatus();
}

absl::Status RunInspect(const std::string& bundle_folder,
                        const std::string& trusted_keys_file) {
  ASSIGN_OR_RETURN(const OpenOptions options, SignedBy(trusted_keys_file));
  ASSIGN_OR_RETURN(const Bundle bundle,
                   OpenBundle(bundle_folder, VerifyScope::kAll, options));
  std::fputs(FormatManifest(bundle.manifest()).c_str(), stdout);
  const std::string signed_by =
      options.trusted_keys
          ? absl::StrCat(", signed by key ", bundle.signed_by())
          : " (without --trusted-keys, its signature was not looked at)";
  std::fprintf(stderr, "%s: every file is what was published%s\n",
               bundle_folder.c_str(), signed_by.c_str());
  return absl::OkStatus();
}

absl::Status RunSynth(const SyntheticOptions& options) {
  Progress progress("");
  return WriteSyntheticDataset(
      options, [&](absl::string_view text) { progress.Line(text); });
}

std::string VersionText() {
  std::map<std::string, std::string> versions = LibraryVersions();
  return absl::StrCat("segue-trainer ", versions["segue"], "\nLibTorch ",
                      versions["libtorch"], "\nFAISS ", versions["faiss"],
                      "\nProtobuf ", versions["protobuf"], "\nArrow ",
                      versions["arrow"]);
}

}  // namespace segue
