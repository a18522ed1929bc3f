// Looks through an index's file before FAISS does: read_index() believes the
// sizes, types and links that it finds.
#ifndef SEGUE_CORE_INDEX_INDEX_SCAN_H_
#define SEGUE_CORE_INDEX_INDEX_SCAN_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace segue {

// What the file says of itself.
struct IndexSummary {
  int32_t dimension = 0;
  int64_t size = 0;  // vectors
};

// Of an index as faiss::write_index() writes it, for inner products, of these
// kinds: flat, SQ8, SQ6, SQ4 or fp16; a graph (HNSW) over one of them; cells
// (IVF) of flat, SQ, PQ or fast-scan PQ codes, found by comparing all centroids
// or by a graph over them; a flat fast-scan; linear transforms before and a
// refinement (flat or SQ) behind any of them.
//
// OK means that faiss::read_index() reads these bytes to their end, takes no
// more memory than some times their number, and that searching what it gives
// stays within it: sizes agree with one another and with the bytes that there
// are, links lead to vectors, each vector is in one cell, numbers are finite.
// What is found by it may still be nonsense. Allocates a bit a vector; takes
// about the time that it takes to read the bytes.
//
// DataLoss, with the byte and what is wrong there; FailedPrecondition for
// another kind of index or another metric. `path` is for messages.
absl::StatusOr<IndexSummary> ScanIndex(absl::string_view bytes,
                                       const std::string& path);

// The same of a file; DataLoss if it cannot be read.
absl::StatusOr<IndexSummary> ScanIndexFile(const std::string& path);

}  // namespace segue

#endif  // SEGUE_CORE_INDEX_INDEX_SCAN_H_
