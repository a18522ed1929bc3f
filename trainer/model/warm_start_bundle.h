// An earlier bundle that training begins from.
#ifndef SEGUE_TRAINER_MODEL_WARM_START_BUNDLE_H_
#define SEGUE_TRAINER_MODEL_WARM_START_BUNDLE_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/bundle/bundle_reader.h"
#include "core/catalog/row_matrix.h"
#include "core/schema/vocabulary.h"
#include "segue/v1/bundle.pb.h"
#include "segue/v1/config.pb.h"
#include "trainer/data/dataset.h"

namespace segue {

// What a bundle learnt about ids or values: an embedding of each, and of those
// that it does not know. Movable.
class LearntRows {
 public:
  LearntRows() = default;
  // From the first floats of the rows of a matrix.
  LearntRows(Vocabulary ids, RowMatrix rows)
      : ids_(std::move(ids)), matrix_(std::move(rows)) {}
  // From schema.pb: [values + 1, width].
  explicit LearntRows(const v1::FeatureColumn& column);

  const Vocabulary& ids() const { return ids_; }
  // Of a row of ids().
  const float* Row(int32_t row) const {
    return width_ > 0 ? values_.data() + int64_t{row} * width_
                      : matrix_.Row(row).data();
  }
  // Of the id; of an unknown one if it is new: what the bundle serves for it.
  const float* Of(absl::string_view id) const {
    return Row(ids_.FindOrUnknown(id));
  }
  // Whether the bundle was trained on the id: its embedding is its own.
  bool Knows(absl::string_view id, int32_t width) const;

 private:
  Vocabulary ids_{1};
  RowMatrix matrix_;
  std::vector<float> values_;
  int32_t width_ = 0;  // of values_; 0: matrix_
};

// Immutable once opened. Movable.
struct WarmStartBundle {
  Bundle bundle;
  v1::FeatureSchema schema;
  v1::EncoderConfig encoder;
  LearntRows items;  // rows are fused ones: the item's own embedding is first
  LearntRows users;  // without rows if the schema's user rows are empty
  // Parallel to the schema's features; numbers and vectors have nothing.
  std::vector<LearntRows> item_features, user_features, request_features;
  std::string query_tower, item_tower;  // TorchScript
};

// Verifies every file of the bundle in `folder`. What OpenBundle gives, or
// FailedPrecondition if the bundle was published before bundles could be begun
// from.
absl::StatusOr<WarmStartBundle> OpenWarmStartBundle(
    const std::string& folder, const OpenOptions& options = {});

// OK if every float of a row means to one what it means to the other: features
// by name, kind, offset and width, unknown rows, and whether there are example
// ages. FailedPrecondition names what differs.
absl::Status CompareSchemas(const v1::FeatureSchema& earlier,
                            const v1::FeatureSchema& schema);

// Scales the vectors of `data` as the bundle's are. Features that the bundle
// does not have like this are left alone: CompareSchemas() tells of them.
void KeepVectorScales(const v1::FeatureSchema& earlier, Dataset& data);

}  // namespace segue

#endif  // SEGUE_TRAINER_MODEL_WARM_START_BUNDLE_H_
