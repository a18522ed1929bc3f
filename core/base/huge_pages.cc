#include "core/base/huge_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>

namespace segue {
namespace {

// Less has no whole huge page of 2 MiB, or hardly one.
constexpr size_t kWorthIt = size_t{8} << 20;

}  // namespace

void MoveToHugePages(std::vector<uint8_t>& bytes) {
  if (bytes.size() < kWorthIt) return;
  std::vector<uint8_t> moved;
  moved.reserve(bytes.size());  // so much is not touched before it is written
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin =
      (reinterpret_cast<uintptr_t>(moved.data()) + page - 1) / page * page;
  const auto end =
      (reinterpret_cast<uintptr_t>(moved.data()) + bytes.size()) / page * page;
  // Advice: a refusal is no failure.
  static_cast<void>(
      ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE));
  moved.assign(bytes.begin(), bytes.end());
  bytes.swap(moved);
}

}  // namespace segue
