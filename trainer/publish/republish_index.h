// A published bundle under another index.
#ifndef SEGUE_TRAINER_PUBLISH_REPUBLISH_INDEX_H_
#define SEGUE_TRAINER_PUBLISH_REPUBLISH_INDEX_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "core/bundle/bundle_reader.h"
#include "segue/v1/config.pb.h"
#include "trainer/training/progress.h"

namespace segue {

// Builds the index of a bundle, opened as `source` says, anew, with the index
// section of `config`, and writes that into the bundle's configuration and
// report. Towers, tables and what the report says of them stay; figures of the
// old index go (`segue-trainer evaluate` measures the new one). Publishes into
// config.bundle_root and returns the version.
absl::StatusOr<std::string> RepublishIndex(const std::string& bundle_folder,
                                           const OpenOptions& source,
                                           const v1::TrainerConfig& config,
                                           int32_t threads, Progress& progress);

}  // namespace segue

#endif  // SEGUE_TRAINER_PUBLISH_REPUBLISH_INDEX_H_
