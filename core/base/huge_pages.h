// Memory whose pages are few and large.
#ifndef SEGUE_CORE_BASE_HUGE_PAGES_H_
#define SEGUE_CORE_BASE_HUGE_PAGES_H_

#include <cstdint>
#include <vector>

namespace segue {

// Asks the kernel to back `bytes`, which are not to grow or shrink any more,
// with huge pages (madvise(2), MADV_HUGEPAGE), and at once where it can
// (MADV_COLLAPSE, Linux 6.1): where they are read at random, and are more than
// a processor's address cache covers, about every other read would otherwise
// wait for its address. Values stay where and what they are. A kernel that
// grants none is no error. Nothing is asked for a few bytes.
void UseHugePages(const std::vector<uint8_t>& bytes);

}  // namespace segue

#endif  // SEGUE_CORE_BASE_HUGE_PAGES_H_
