#include "core/base/huge_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>

// glibc names it from 2.37 on.
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

namespace segue {
namespace {

// Less has no whole huge page of 2 MiB, or hardly one.
constexpr size_t kWorthIt = size_t{8} << 20;

}  // namespace

void UseHugePages(const std::vector<uint8_t>& bytes) {
  if (bytes.size() < kWorthIt) return;
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto address = reinterpret_cast<uintptr_t>(bytes.data());
  const uintptr_t begin = (address + page - 1) / page * page;
  const uintptr_t end = (address + bytes.size()) / page * page;
  // Advice changes no value, and a refusal is no failure.
  void* pages = reinterpret_cast<void*>(begin);
  static_cast<void>(::madvise(pages, end - begin, MADV_HUGEPAGE));
  static_cast<void>(::madvise(pages, end - begin, MADV_COLLAPSE));
}

}  // namespace segue
