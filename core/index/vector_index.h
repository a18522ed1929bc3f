// Finds the vectors with the largest inner product; what evaluation, tuner and
// server know of an index.
#ifndef SEGUE_CORE_INDEX_VECTOR_INDEX_H_
#define SEGUE_CORE_INDEX_VECTOR_INDEX_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace segue {

struct Neighbor {
  int32_t row = 0;  // of the vector, in the order of adding: the item's row
  float score = 0;  // inner product; of unit vectors, the cosine
};

// Immutable. Thread-safe; a search runs on the calling thread.
class VectorIndex {
 public:
  virtual ~VectorIndex() = default;
  virtual int64_t size() const = 0;
  virtual int32_t dimension() const = 0;
  // The k best rows that are not in `excluded` (any order, duplicates allowed),
  // best first, each once. Exactly min(k, size() - distinct excluded) of them:
  // where the probed cells hold too few, all cells are searched.
  // InvalidArgument: a query of another dimension or with a value that is not
  // finite, or k < 1.
  virtual absl::StatusOr<std::vector<Neighbor>> Search(
      absl::Span<const float> query, int32_t k,
      absl::Span<const int32_t> excluded) const = 0;
};

}  // namespace segue

#endif  // SEGUE_CORE_INDEX_VECTOR_INDEX_H_
