// Memory whose pages are few and large.
#ifndef SEGUE_CORE_BASE_HUGE_PAGES_H_
#define SEGUE_CORE_BASE_HUGE_PAGES_H_

#include <cstdint>
#include <vector>

namespace segue {

// Moves `bytes`, which are not to grow or shrink any more, to memory that the
// kernel is asked to back with huge pages (madvise(2), MADV_HUGEPAGE): where
// they are read at random, and are more than a processor's address cache
// covers, about every other read would otherwise wait for its address. A kernel
// that grants none is no error. Takes some MiB beside the bytes meanwhile,
// unless they are locked in memory. A few bytes stay where they are, and so do
// all where there is no room.
//
// Not MADV_COLLAPSE, which would not move them: it holds the lock of all of the
// process's memory, and a thread of low priority that is interrupted then keeps
// every other waiting for it (20 to 60 ms were measured).
void MoveToHugePages(std::vector<uint8_t>& bytes);

}  // namespace segue

#endif  // SEGUE_CORE_BASE_HUGE_PAGES_H_
