#include "trainer/publish/bundle_files.h"

#include <filesystem>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/signature.h"
#include "core/base/status_macros.h"
#include "core/bundle/file_check.h"
#include "core/bundle/layout.h"
#include "core/bundle/manifest.h"
#include "core/catalog/row_matrix.h"
#include "core/config/text_proto.h"
#include "core/retrieval/golden.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"
#include "trainer/report/json.h"

namespace segue {
namespace {

constexpr uint64_t kMaxReportBytes = 16 << 20;

absl::StatusOr<std::optional<SigningKey>> ReadSigningKey(
    const v1::TrainerConfig& config) {
  const std::string& file = config.publish().signing_key_file();
  if (file.empty()) return std::nullopt;
  auto key = SigningKey::Read(file);
  if (key.ok()) return std::make_optional(*std::move(key));
  return absl::InvalidArgumentError(
      absl::StrCat("publish.signing_key_file: ", key.status().message()));
}

}  // namespace

void LeaveOutSigningKey(v1::TrainerConfig& config) {
  // A section that was not there is not to appear.
  if (config.has_publish()) config.mutable_publish()->clear_signing_key_file();
}

absl::StatusOr<std::unique_ptr<BundleWriter>> CreateWriter(
    const v1::TrainerConfig& config, Progress& progress) {
  ASSIGN_OR_RETURN(auto key, ReadSigningKey(config));
  const std::string& root = config.bundle_root();
  if (const auto current = ReadCurrentVersion(root);
      !key && current.ok() &&
      std::filesystem::exists(
          absl::StrCat(root, "/", *current, "/", layout::kSignature))) {
    progress.Line(absl::StrCat(
        "warning: ", *current,
        ", which is published, is signed, and what comes now is not, without "
        "publish.signing_key_file: servers that want a signature will not "
        "serve it"));
  }
  return BundleWriter::Create(root, std::move(key));
}

absl::StatusOr<OpenOptions> SignedBy(const std::string& trusted_keys_file) {
  OpenOptions options;
  if (trusted_keys_file.empty()) return options;
  ASSIGN_OR_RETURN(options.trusted_keys, TrustedKeys::Read(trusted_keys_file));
  return options;
}

absl::StatusOr<OpenOptions> SourceOptions(
    const v1::TrainerConfig& config, const std::string& trusted_keys_file) {
  ASSIGN_OR_RETURN(const auto key, ReadSigningKey(config));
  ASSIGN_OR_RETURN(OpenOptions options, SignedBy(trusted_keys_file));
  if (key && !options.trusted_keys) options.trusted_keys = key->public_key();
  return options;
}

absl::Status CopyBundleFiles(const Bundle& bundle,
                             const std::set<std::string>& others,
                             BundleWriter& writer) {
  ASSIGN_OR_RETURN(const Descriptor staged,
                   OpenFolder(writer.staging_folder()));
  const auto copy = [&](const v1::File& file, FileRole role) -> absl::Status {
    if (others.count(file.name()) > 0) return absl::OkStatus();
    const std::string from = bundle.Path(file.name());
    std::error_code error;
    std::filesystem::copy_file(from, writer.Add(file.name(), role), error);
    if (error) {
      return absl::ErrnoToStatus(error.value(),
                                 absl::StrCat("cannot copy ", from));
    }
    ASSIGN_OR_RETURN(
        const FileDigest digest,
        DigestFile(staged, file.name(), from,
                   static_cast<uint64_t>(file.bytes()), Deadline::Infinite()));
    return CheckDigest(from, digest, file);
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

absl::Status UpdateStagedReport(
    const BundleWriter& writer,
    const std::function<void(v1::Report& report)>& update) {
  const std::string path =
      absl::StrCat(writer.staging_folder(), "/", layout::kReport);
  if (!std::filesystem::exists(path)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string json, ReadFile(path, kMaxReportBytes));
  v1::Report report;
  const auto parsed =
      google::protobuf::util::JsonStringToMessage(json, &report);
  if (!parsed.ok()) {
    return absl::DataLossError(absl::StrCat(
        layout::kReport, ": ",
        absl::string_view(parsed.message().data(), parsed.message().size())));
  }
  update(report);
  ASSIGN_OR_RETURN(const std::string updated, ReportToJson(report));
  return WriteFileAtomically(path, updated);
}

absl::Status UpdateStagedConfig(
    const BundleWriter& writer,
    const std::function<void(v1::TrainerConfig& config)>& update) {
  const std::string path =
      absl::StrCat(writer.staging_folder(), "/", layout::kTrainerConfig);
  if (!std::filesystem::exists(path)) return absl::OkStatus();
  v1::TrainerConfig config;
  RETURN_IF_ERROR(LoadTextProto(path, config));
  update(config);
  std::string text;
  google::protobuf::TextFormat::PrintToString(config, &text);
  return WriteFileAtomically(path, text);
}

absl::StatusOr<SealedBundle> SealWithAnswers(const v1::Content& content,
                                             BundleWriter& writer) {
  SealedBundle sealed;
  ASSIGN_OR_RETURN(sealed.manifest, writer.Seal(content));
  ASSIGN_OR_RETURN(sealed.snapshot, LoadServingSnapshot(writer.staging_folder(),
                                                        sealed.manifest));
  ASSIGN_OR_RETURN(const v1::BatchRetrieveResponse answers,
                   AnswerGolden(*sealed.snapshot));
  ASSIGN_OR_RETURN(const std::string json,
                   MessageToJson(answers, /*spaced=*/false));
  RETURN_IF_ERROR(WriteFileAtomically(
      writer.Add(layout::kGoldenAnswers, FileRole::kServed), json));
  ASSIGN_OR_RETURN(sealed.manifest, writer.Seal(content));
  return sealed;
}

absl::StatusOr<std::vector<float>> TuningQueries(const Bundle& bundle) {
  if (FindFile(bundle.content(), layout::kTuningQueries) == nullptr) {
    return std::vector<float>();
  }
  ASSIGN_OR_RETURN(const RowMatrix rows,
                   RowMatrix::Open(bundle.Path(layout::kTuningQueries)));
  if (rows.width() != bundle.content().dimension()) {
    return absl::DataLossError(absl::StrCat(
        layout::kTuningQueries, " has ", rows.width(), " dimensions, ",
        bundle.content().dimension(), " are expected"));
  }
  return std::vector<float>(rows.values().begin(), rows.values().end());
}

}  // namespace segue
