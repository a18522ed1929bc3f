#include "core/base/huge_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <new>

namespace segue {
namespace {

// Less has no whole huge page of 2 MiB, or hardly one.
constexpr size_t kWorthIt = size_t{8} << 20;
constexpr size_t kPiece = size_t{2} << 20;

// Of the whole pages in a range. Advice changes nothing that is still wanted,
// and a refusal is no failure.
void Advise(uint8_t* begin, uint8_t* end, int advice) {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const uintptr_t from =
      (reinterpret_cast<uintptr_t>(begin) + page - 1) / page * page;
  const uintptr_t to = reinterpret_cast<uintptr_t>(end) / page * page;
  if (from >= to) return;
  static_cast<void>(
      ::madvise(reinterpret_cast<void*>(from), to - from, advice));
}

}  // namespace

void MoveToHugePages(std::vector<uint8_t>& bytes) {
  if (bytes.size() < kWorthIt) return;
  std::vector<uint8_t> moved;
  try {
    // Fresh from the kernel at this size, for the most part: not backed yet.
    moved.reserve(bytes.size());
  } catch (const std::bad_alloc&) {
    return;
  }
  Advise(moved.data(), moved.data() + bytes.size(), MADV_HUGEPAGE);
  for (size_t begin = 0; begin < bytes.size(); begin += kPiece) {
    uint8_t* const from = bytes.data() + begin;
    uint8_t* const to = from + std::min(kPiece, bytes.size() - begin);
    moved.insert(moved.end(), from, to);
    // Both together would be twice the memory.
    Advise(from, to, MADV_DONTNEED);
  }
  bytes.swap(moved);
}

}  // namespace segue
