// Finds the vectors with the largest inner product; what evaluation, tuner and
// server know of an index.
#ifndef SEGUE_CORE_INDEX_VECTOR_INDEX_H_
#define SEGUE_CORE_INDEX_VECTOR_INDEX_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/rows/row_set.h"

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
  // Candidates refined for each of k (of 10 where k is less); means nothing
  // without refinement.
  int32_t k_factor = 0;

  friend bool operator==(const SearchEffort& a, const SearchEffort& b) {
    return a.nprobe == b.nprobe && a.k_factor == b.k_factor;
  }
};

// In the order of `neighbors`.
inline std::vector<int32_t> RowsOf(absl::Span<const Neighbor> neighbors) {
  std::vector<int32_t> rows;
  rows.reserve(neighbors.size());
  for (const Neighbor& neighbor : neighbors) rows.push_back(neighbor.row);
  return rows;
}

struct SearchOptions {
  int32_t k = 0;
  // Rows never to answer; any order, duplicates allowed.
  absl::Span<const int32_t> excluded;
  // The only rows to answer with, but for the excluded ones; null: all.
  // REQUIRES: each is a row of the index.
  const RowSet* allowed = nullptr;
  // Unset: that which the index was tuned to.
  std::optional<SearchEffort> effort;
  // Score all that is allowed, whatever it costs: what the best codes of the
  // index would find.
  bool exact = false;
};

// How an answer was found.
enum class FoundBy {
  // As the index was tuned: cells probed, candidates refined.
  kIndex,
  // The same with more candidates, of which those allowed were kept.
  kMoreCandidates,
  // More cells probed, and whatever is allowed in them scored.
  kCells,
  // Whatever is allowed was scored.
  kExact,
};

struct Found {
  std::vector<Neighbor> neighbors;  // best first, each row once
  FoundBy by = FoundBy::kIndex;     // where nothing is allowed, too
  int64_t allowed = 0;              // rows that filter and exclusions leave
  // Of the time that it took, what scoring candidates again did.
  std::chrono::steady_clock::duration refining{};
};

// Immutable. Thread-safe; a search runs on the calling thread.
class VectorIndex {
 public:
  virtual ~VectorIndex() = default;
  virtual int64_t size() const = 0;
  virtual int32_t dimension() const = 0;
  // Of searches that name none.
  virtual SearchEffort effort() const = 0;
  // The k best of the rows that are allowed and not excluded. Exactly min(k,
  // such rows) of them: where too few are found, all are scored. Under a filter
  // the way is taken that is estimated to cost least, by how many rows are
  // allowed, and left for a wider one where the filter leaves less near the
  // query than an even one would. InvalidArgument: a
  // query of another dimension or with a value that is not finite, k < 1, or an
  // effort below 1 where it means something.
  virtual absl::StatusOr<Found> Search(absl::Span<const float> query,
                                       const SearchOptions& options) const = 0;
  // Whether Vectors() has them: cells without refinement hold nothing but codes
  // to compare with, and what is behind a transform is not what was added.
  virtual bool has_vectors() const { return true; }
  // The vectors of rows [rows, d], as near as the index has them. Unimplemented
  // where it has none.
  virtual absl::StatusOr<std::vector<float>> Vectors(
      absl::Span<const int32_t> rows) const = 0;
};

}  // namespace segue

#endif  // SEGUE_CORE_INDEX_VECTOR_INDEX_H_
