#include "core/base/huge_pages.h"

#include <numeric>

#include "gtest/gtest.h"

namespace segue {
namespace {

// Sizes about those of pages, so that an end is not lost to rounding.
TEST(HugePagesTest, ValuesStay) {
  constexpr size_t kHuge = size_t{2} << 20;
  for (const size_t size :
       {size_t{0}, size_t{1}, 4 * kHuge - 1, 4 * kHuge, 5 * kHuge + 4097}) {
    std::vector<uint8_t> bytes(size);
    std::iota(bytes.begin(), bytes.end(), uint8_t{1});
    const std::vector<uint8_t> before = bytes;
    const uint8_t* place = bytes.data();
    MoveToHugePages(bytes);
    EXPECT_EQ(bytes.data() != place, size >= 4 * kHuge) << size;
    EXPECT_EQ(bytes, before) << size;
    // They can still be written, freed and taken again.
    bytes.push_back(7);
    EXPECT_EQ(bytes.back(), 7) << size;
  }
}

}  // namespace
}  // namespace segue
