// The vectors that a bundle's item tower gives items.
#ifndef SEGUE_TRAINER_EVALUATION_ITEM_VECTORS_H_
#define SEGUE_TRAINER_EVALUATION_ITEM_VECTORS_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/retrieval/serving_snapshot.h"

namespace segue {

// [count, d] unit vectors of the items whose fused feature rows [f] `read`
// writes, by number; several threads call it at a time.
absl::StatusOr<std::vector<float>> EmbedItems(
    const ServingSnapshot& snapshot, int64_t count,
    const std::function<void(int64_t, absl::Span<float>)>& read,
    int32_t threads);

// [items, d] of the snapshot's own, of rows that are no longer answered too.
absl::StatusOr<std::vector<float>> EmbedCatalogue(
    const ServingSnapshot& snapshot, int32_t threads);

}  // namespace segue

#endif  // SEGUE_TRAINER_EVALUATION_ITEM_VECTORS_H_
