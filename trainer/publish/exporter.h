// Writes a trained model as the files of a bundle.
#ifndef SEGUE_TRAINER_PUBLISH_EXPORTER_H_
#define SEGUE_TRAINER_PUBLISH_EXPORTER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "core/bundle/bundle_writer.h"
#include "core/index_build/index_builder.h"
#include "core/schema/vocabulary.h"
#include "segue/v1/bundle.pb.h"
#include "segue/v1/config.pb.h"
#include "segue/v1/retrieval.pb.h"
#include "trainer/data/dataset.h"
#include "trainer/data/split.h"
#include "trainer/model/two_tower_model.h"

namespace segue {

// The libraries behind a bundle, by name.
std::map<std::string, std::string> LibraryVersions();

// Schema, vocabularies, fused rows, display columns, towers, golden requests
// and the configuration. Returns the manifest's content but for the index.
absl::StatusOr<v1::Content> ExportModel(const TwoTowerModel& model,
                                        const Dataset& data,
                                        const v1::TrainerConfig& config,
                                        const v1::BatchRetrieveRequest& golden,
                                        BundleWriter& writer);

// Builds the index over `vectors` [items, d] and tunes it on `queries` [Q, d],
// which stay in the bundle; fills content.index.
absl::StatusOr<BuiltIndex> ExportIndex(
    const Vocabulary& items, absl::Span<const float> vectors,
    absl::Span<const float> queries, const v1::TrainerConfig& config,
    int32_t threads, const std::function<void(absl::string_view)>& progress,
    BundleWriter& writer, v1::Content& content);

}  // namespace segue

#endif  // SEGUE_TRAINER_PUBLISH_EXPORTER_H_
