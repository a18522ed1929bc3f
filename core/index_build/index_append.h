// Adds vectors to an index that is built already.
#ifndef SEGUE_CORE_INDEX_BUILD_INDEX_APPEND_H_
#define SEGUE_CORE_INDEX_BUILD_INDEX_APPEND_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace segue {

struct AppendedIndex {
  uint64_t bytes = 0;  // of the file
  // How well the cells, made for the vectors of old, suit the new ones: the
  // mean inner product of a vector with the centroid nearest to it, of the new
  // ones and of `known`. 1 where there are no cells.
  double fit = 1, known_fit = 1;
};

// Reads the index at `from`, adds `vectors` [N, d] behind its own, and writes
// it to `to`. `known` [K, d] are some that it has. The same bytes whatever the
// number of threads. DataLoss if `from` is no index of `dimension`, Internal if
// it takes no more.
absl::StatusOr<AppendedIndex> AppendToIndex(const std::string& from,
                                            const std::string& to,
                                            absl::Span<const float> vectors,
                                            absl::Span<const float> known,
                                            int32_t dimension, int32_t threads);

}  // namespace segue

#endif  // SEGUE_CORE_INDEX_BUILD_INDEX_APPEND_H_
