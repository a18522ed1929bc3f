// Where bundles are published, and what becomes of the files of one that is
// published again.
#ifndef SEGUE_TRAINER_PUBLISH_BUNDLE_FILES_H_
#define SEGUE_TRAINER_PUBLISH_BUNDLE_FILES_H_

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/bundle/bundle_reader.h"
#include "core/bundle/bundle_writer.h"
#include "core/retrieval/serving_snapshot.h"
#include "segue/v1/config.pb.h"
#include "segue/v1/report.pb.h"
#include "trainer/training/progress.h"

namespace segue {

// Where the key lies goes into no bundle, and is taken from none.
void LeaveOutSigningKey(v1::TrainerConfig& config);

// Publishes into config.bundle_root, signed with publish.signing_key_file;
// without one, a line says so if what CURRENT names there is signed.
// InvalidArgument if that is no key.
absl::StatusOr<std::unique_ptr<BundleWriter>> CreateWriter(
    const v1::TrainerConfig& config, Progress& progress);

// How a bundle is opened that one of the keys of the file has to have signed;
// empty: nobody has to. InvalidArgument if that holds no keys.
absl::StatusOr<OpenOptions> SignedBy(const std::string& trusted_keys_file);
// The same of one that another bundle is made from. Where nobody is named, the
// key that signs what is made has to have signed it, so that nothing becomes
// signed that was not. InvalidArgument, too, if that is no key.
absl::StatusOr<OpenOptions> SourceOptions(const v1::TrainerConfig& config,
                                          const std::string& trusted_keys_file);

// Every file of the bundle but `others` into the writer's staging folder.
// DataLoss if a copy is not what the manifest says: the bundle was changed
// since it was opened.
absl::Status CopyBundleFiles(const Bundle& bundle,
                             const std::set<std::string>& others,
                             BundleWriter& writer);

// Changes the report.json in the staging folder; none: nothing. DataLoss if
// that is no report.
absl::Status UpdateStagedReport(
    const BundleWriter& writer,
    const std::function<void(v1::Report& report)>& update);

// Changes the trainer_config.textproto in the staging folder; none: nothing.
absl::Status UpdateStagedConfig(
    const BundleWriter& writer,
    const std::function<void(v1::TrainerConfig& config)>& update);

// Seals what is staged, has the golden requests answered from it, adds the
// answers, and seals it again: the manifest, and the snapshot that answered,
// which lacks them. REQUIRES: no answers are staged.
struct SealedBundle {
  v1::Manifest manifest;
  std::shared_ptr<const ServingSnapshot> snapshot;
};
absl::StatusOr<SealedBundle> SealWithAnswers(const v1::Content& content,
                                             BundleWriter& writer);

// The vectors of queries that the bundle's index was tuned on, [Q, d]; none if
// it has none.
absl::StatusOr<std::vector<float>> TuningQueries(const Bundle& bundle);

}  // namespace segue

#endif  // SEGUE_TRAINER_PUBLISH_BUNDLE_FILES_H_
