// The parts of an index's file that have no other index within them, looked
// through as index_scan.h says. Private to core/index.
#ifndef SEGUE_CORE_INDEX_INDEX_PARTS_H_
#define SEGUE_CORE_INDEX_INDEX_PARTS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/index/index_bytes.h"

namespace segue {

inline constexpr int32_t kMaxIndexDimension = 65536;

// The code of a vector, and what must hold of it.
struct IndexCodes {
  enum Holds { kAnything, kFloats, kHalves };
  uint64_t bytes = 0;
  Holds holds = kAnything;

  absl::Status Check(const IndexBytes& bytes, absl::string_view codes) const;
};

// Each takes its part from where `bytes` are, in the order in which FAISS 1.7.3
// writes it; errors are those of IndexBytes. `size` and `dimension` are those
// of the vectors, in their bounds.

absl::StatusOr<IndexCodes> ScanScalarQuantizer(int32_t dimension,
                                               IndexBytes& bytes);
struct ProductCodes {
  uint64_t subquantizers = 0;
  uint64_t bytes = 0;  // of a code
};
absl::StatusOr<ProductCodes> ScanProductQuantizer(int32_t dimension,
                                                  uint64_t min_bits,
                                                  uint64_t max_bits,
                                                  IndexBytes& bytes);

// Returns the dimensions that it leaves.
absl::StatusOr<int32_t> ScanTransform(int32_t dimension, IndexBytes& bytes);

// What a graph has beside its vectors.
absl::Status ScanLinks(int64_t size, IndexBytes& bytes);

// What the cells hold: of each vector its code, in one cell.
absl::Status ScanCellLists(int64_t size, uint64_t nlist,
                           const IndexCodes& codes, IndexBytes& bytes);
// The same where codes lie in blocks of `per_block` vectors.
absl::Status ScanBlockedCellLists(int64_t size, uint64_t nlist,
                                  uint64_t code_bytes, uint64_t per_block,
                                  IndexBytes& bytes);

}  // namespace segue

#endif  // SEGUE_CORE_INDEX_INDEX_PARTS_H_
