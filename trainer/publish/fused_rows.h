// The fused feature rows of items that a bundle's model did not see, or not
// like this.
#ifndef SEGUE_TRAINER_PUBLISH_FUSED_ROWS_H_
#define SEGUE_TRAINER_PUBLISH_FUSED_ROWS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trainer/data/dataset.h"
#include "trainer/model/warm_start_bundle.h"

namespace segue {

// Composes rows as core/bundle/FORMAT.md says, from what the bundle learnt. An
// id and a value that it does not know have the embedding of an unknown one.
// Borrows both. Const members from any thread.
class FusedRows {
 public:
  // FailedPrecondition, naming the first difference, unless `data` has the
  // item features of the bundle's schema.
  static absl::StatusOr<FusedRows> Create(const WarmStartBundle& bundle,
                                          const Dataset& data);

  int32_t width() const { return width_; }
  // The row [width] of item `item` of the data. `given`, if not null, is a row
  // of old: of its features that the data cannot tell (those of EVENTS) the
  // floats are kept.
  void Compose(int32_t item, const float* given, absl::Span<float> out) const;
  // Whether the bundle knows a value of the item, or it has a number or vector:
  // if not, and its id is new, it is like any other unknown item.
  bool KnowsAnyValue(int32_t item) const;

  // Features, by place, that the data cannot tell.
  void Keep(int32_t feature) { kept_[feature] = true; }

 private:
  FusedRows(const WarmStartBundle& bundle, const Dataset& data);
  void ComposeValues(int32_t feature, int32_t item, float* out) const;

  const WarmStartBundle* bundle_;
  const Dataset* data_;
  int32_t width_ = 0;
  std::vector<bool> kept_;  // by feature
};

}  // namespace segue

#endif  // SEGUE_TRAINER_PUBLISH_FUSED_ROWS_H_
