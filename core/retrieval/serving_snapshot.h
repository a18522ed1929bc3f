// Everything that one bundle version answers with, assembled and immutable.
#ifndef SEGUE_CORE_RETRIEVAL_SERVING_SNAPSHOT_H_
#define SEGUE_CORE_RETRIEVAL_SERVING_SNAPSHOT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "core/base/descriptor.h"
#include "core/bundle/bundle_reader.h"
#include "core/catalog/attribute_index.h"
#include "core/catalog/display_table.h"
#include "core/catalog/row_matrix.h"
#include "core/index/effort_table.h"
#include "core/index/vector_index.h"
#include "core/rows/row_set.h"
#include "core/schema/vocabulary.h"
#include "core/towers/towers.h"
#include "segue/v1/bundle.pb.h"
#include "segue/v1/retrieval.pb.h"

namespace segue {

// Owns its parts; shared by the server's SnapshotHolder and by each request in
// flight. Const members from any thread. Freeing one can take seconds.
struct ServingSnapshot {
  std::string version;
  v1::FeatureSchema schema;
  TowerShape shape;
  Vocabulary items{1};
  Vocabulary users{1};
  RowMatrix item_rows;  // [items.rows(), f]
  RowMatrix user_rows;  // [users.rows(), u]
  DisplayTable display;
  AttributeIndex attributes;
  // Rows that may be answered; unset: all. Removed items stay where they are,
  // so that histories still know them.
  std::optional<RowSet> available;
  std::unique_ptr<QueryTower> query_tower;
  std::unique_ptr<ItemTower> item_tower;
  std::unique_ptr<VectorIndex> index;
  EffortTable efforts;
  double target_overlap = 0;  // of searches that name none
  // Requests to warm up on, with histories of real users.
  v1::BatchRetrieveRequest golden_requests;
  // What they are answered with, exactly (golden.h); may be empty.
  v1::BatchRetrieveResponse golden_answers;
  uint64_t bytes = 0;  // of the files that it serves from
  // Keeps publishers from removing these (version_use.h).
  Descriptor in_use;

  // For SearchOptions: the rows that may be answered, null: all.
  const RowSet* allowed() const {
    return available.has_value() ? &*available : nullptr;
  }
  // The effort that the table has for k and the target (0: the bundle's own),
  // and `more` points beyond it; that of the index where there is no table.
  EffortPoint EffortFor(int32_t k, double target = 0, int32_t more = 0) const;
};

// Loads every served file of a verified bundle and checks that they agree with
// the manifest and with each other: counts, widths, dimension, tower hash,
// finite weights. DataLoss or FailedPrecondition, with file and both values;
// NotFound where the version is being removed; DeadlineExceeded at the next
// step after the deadline.
absl::StatusOr<std::shared_ptr<const ServingSnapshot>> LoadServingSnapshot(
    const Bundle& bundle, Deadline deadline = Deadline::Infinite());
// The same for a folder that its writer has just sealed (the trainer's staging
// folder). REQUIRES: the files are those of the manifest.
absl::StatusOr<std::shared_ptr<const ServingSnapshot>> LoadServingSnapshot(
    const std::string& folder, const v1::Manifest& manifest);

}  // namespace segue

#endif  // SEGUE_CORE_RETRIEVAL_SERVING_SNAPSHOT_H_
