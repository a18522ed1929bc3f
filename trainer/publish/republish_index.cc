#include "trainer/publish/republish_index.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/bundle/bundle_reader.h"
#include "core/bundle/bundle_writer.h"
#include "core/bundle/layout.h"
#include "core/index/faiss_index.h"
#include "core/retrieval/serving_snapshot.h"
#include "trainer/evaluation/item_vectors.h"
#include "trainer/publish/bundle_files.h"
#include "trainer/publish/exporter.h"
#include "trainer/publish/report_files.h"

namespace segue {
absl::StatusOr<std::string> RepublishIndex(const std::string& bundle_folder,
                                           const OpenOptions& source,
                                           const v1::TrainerConfig& config,
                                           int32_t threads,
                                           Progress& progress) {
  // Before the bundle is read: nobody publishes a newer one meanwhile.
  ASSIGN_OR_RETURN(auto writer, CreateWriter(config, progress));
  ASSIGN_OR_RETURN(const Bundle bundle,
                   OpenBundle(bundle_folder, VerifyScope::kAll, source));
  ASSIGN_OR_RETURN(const auto snapshot, LoadServingSnapshot(bundle));
  progress.Line(absl::StrCat("embedding ", snapshot->items.size(), " items"));
  ASSIGN_OR_RETURN(const std::vector<float> vectors,
                   EmbedCatalogue(*snapshot, threads));
  ASSIGN_OR_RETURN(const std::vector<float> queries, TuningQueries(bundle));
  RETURN_IF_ERROR(
      CopyBundleFiles(bundle,
                      {layout::kIndex, layout::kEfforts, layout::kTuningQueries,
                       layout::kGoldenAnswers},
                      *writer));
  v1::Content content = bundle.content();
  ASSIGN_OR_RETURN(const BuiltIndex built,
                   ExportIndex(
                       snapshot->items, vectors, queries, config, threads,
                       [&](absl::string_view line) { progress.Line(line); },
                       *writer, content));
  progress.Line(absl::StrFormat("%s: %.1f MB, overlap %.3f", built.description,
                                built.bytes / 1e6, built.overlap));
  (*content.mutable_library_versions())["faiss"] = FaissVersion();
  RETURN_IF_ERROR(UpdateStagedConfig(*writer, [&](v1::TrainerConfig& staged) {
    *staged.mutable_index() = config.index();
  }));
  ASSIGN_OR_RETURN(const SealedBundle sealed,
                   SealWithAnswers(content, *writer));
  RETURN_IF_ERROR(UpdateStagedReport(*writer, [&](v1::Report& report) {
    report.set_bundle_version(sealed.manifest.version());
    ReplaceIndexReport(built, report);
  }));
  RETURN_IF_ERROR(writer->Seal(std::move(content)).status());
  RETURN_IF_ERROR(writer->Publish(config.publish().keep_versions()));
  return writer->published_version();
}

}  // namespace segue
