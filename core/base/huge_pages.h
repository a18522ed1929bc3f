// Memory whose pages are few and large.
#ifndef SEGUE_CORE_BASE_HUGE_PAGES_H_
#define SEGUE_CORE_BASE_HUGE_PAGES_H_

#include <cstdint>
#include <vector>

namespace segue {

// Moves `bytes` to memory that the kernel is asked to back with huge pages
// (madvise(2), MADV_HUGEPAGE): where bytes are read at random from more than a
// processor's address cache covers, about every other read would otherwise wait
// for the address. Keeps the values. Where the system grants none it is a copy,
// and no harm; a few bytes stay where they are. For a moment there are both.
void MoveToHugePages(std::vector<uint8_t>& bytes);

}  // namespace segue

#endif  // SEGUE_CORE_BASE_HUGE_PAGES_H_
