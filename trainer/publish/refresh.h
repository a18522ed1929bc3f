// `segue-trainer refresh`: a bundle's catalogue as it is now, without training.
#ifndef SEGUE_TRAINER_PUBLISH_REFRESH_H_
#define SEGUE_TRAINER_PUBLISH_REFRESH_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "core/bundle/bundle_reader.h"
#include "segue/v1/config.pb.h"
#include "segue/v1/report.pb.h"
#include "trainer/training/progress.h"

namespace segue {

struct RefreshOptions {
  // Refused where the file lacks more than this share of the bundle's items: it
  // may not be the whole catalogue.
  double max_removed = 0.2;
  // The index is built anew where more than this share of its rows is dead.
  double max_dead = 0.1;
  // Build it anew all the same.
  bool rebuild = false;
  // Refused where the index finds less than this of what is new or changed and
  // belongs to exact answers.
  double min_overlap = 0.9;
  // Refused where new and changed items lie farther than this from the cells:
  // their mean cosine with the nearest centroid, of that of the old items.
  double min_fit = 0.8;
};

struct Refreshed {
  std::string version;
  v1::RefreshReport report;
};

// Opens the bundle as `source` says; reads items.path of `config`, which lists
// the whole catalogue, and its mappings; embeds what is new or changed with the
// bundle's item tower; appends that to the index; marks what is gone; takes
// over attributes and display columns; publishes the next version into
// config.bundle_root.
//
// New ids have the embedding of an unknown id, new values that of an unknown
// value: cold items are as good as their features (model.item_id_dropout).
// Features of EVENTS stay as they were.
//
// FailedPrecondition, and nothing is published, where a floor of the options is
// missed. InvalidArgument names what is wrong with the file or an item.
absl::StatusOr<Refreshed> RefreshBundle(const std::string& bundle_folder,
                                        const OpenOptions& source,
                                        const v1::TrainerConfig& config,
                                        const RefreshOptions& options,
                                        int32_t threads, Progress& progress);

}  // namespace segue

#endif  // SEGUE_TRAINER_PUBLISH_REFRESH_H_
