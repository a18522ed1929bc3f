// Random orders without tables.
#ifndef SEGUE_TRAINER_DATA_PERMUTE_INDEX_H_
#define SEGUE_TRAINER_DATA_PERMUTE_INDEX_H_

#include <cstdint>

namespace segue {

// A permutation of [0, n) that needs no table: a balanced Feistel network over
// the next power of four, walked until it falls inside (cycle walking; Black
// and Rogaway 2002). Each key gives another one. REQUIRES: 0 <= index < n.
int64_t PermuteIndex(int64_t index, int64_t n, uint64_t key);

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_PERMUTE_INDEX_H_
