// Finds the vectors with the largest inner product; what evaluation, tuner and
// server know of an index.
#ifndef SEGUE_CORE_INDEX_VECTOR_INDEX_H_
#define SEGUE_CORE_INDEX_VECTOR_INDEX_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace segue {

struct Neighbor {
  int32_t row = 0;  // of the vector, in the order of adding: the item's row
  float score = 0;  // inner product; of unit vectors, the cosine
};

// How hard a search tries. More finds no less, and costs more.
struct SearchEffort {
  // Cells searched, as many as there are at most; means nothing where there are
  // none.
  int32_t nprobe = 0;
  // Candidates refined for each of k (of 100 where k is less); means nothing
  // without refinement.
  int32_t k_factor = 0;
};

struct SearchOptions {
  int32_t k = 0;
  // Rows never to answer; any order, duplicates allowed.
  absl::Span<const int32_t> excluded;
  // Unset: that which the index was tuned to.
  std::optional<SearchEffort> effort;
};

// Immutable. Thread-safe; a search runs on the calling thread.
class VectorIndex {
 public:
  virtual ~VectorIndex() = default;
  virtual int64_t size() const = 0;
  virtual int32_t dimension() const = 0;
  // The k best rows that are not excluded, best first, each once. Exactly
  // min(k, size() - distinct excluded) of them: where the probed cells hold too
  // few, all cells are searched. InvalidArgument: a query of another dimension
  // or with a value that is not finite, k < 1, or an effort below 1 where it
  // means something.
  virtual absl::StatusOr<std::vector<Neighbor>> Search(
      absl::Span<const float> query, const SearchOptions& options) const = 0;
};

}  // namespace segue

#endif  // SEGUE_CORE_INDEX_VECTOR_INDEX_H_
