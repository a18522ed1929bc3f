#include "trainer/data/permute_index.h"

#include <cstdint>

#include "trainer/base/random.h"

namespace segue {
namespace {

// Four rounds are what Luby and Rackoff (1988) ask for; small domains have few
// round functions, so two more.
constexpr int kRounds = 6;

}  // namespace

int64_t PermuteIndex(int64_t index, int64_t n, uint64_t key) {
  int half_bits = 1;
  while ((uint64_t{1} << (2 * half_bits)) < static_cast<uint64_t>(n)) {
    ++half_bits;
  }
  const uint64_t mask = (uint64_t{1} << half_bits) - 1;
  // Neighbouring keys must not share round functions.
  const uint64_t round_key = Mix64(key);
  uint64_t x = static_cast<uint64_t>(index);
  do {
    uint64_t left = x >> half_bits;
    uint64_t right = x & mask;
    for (int round = 0; round < kRounds; ++round) {
      // The high bits of a mix are its best ones.
      const uint64_t mixed =
          Mix64(round_key + round, right) >> (64 - half_bits);
      const uint64_t next = left ^ mixed;
      left = right;
      right = next;
    }
    x = left << half_bits | right;
  } while (x >= static_cast<uint64_t>(n));
  return static_cast<int64_t>(x);
}

}  // namespace segue
