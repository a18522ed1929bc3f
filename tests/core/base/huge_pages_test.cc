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
    MoveToHugePages(bytes);
    EXPECT_EQ(bytes, before) << size;
  }
}

TEST(HugePagesTest, AFewBytesAreNotMoved) {
  std::vector<uint8_t> bytes(100000);
  const uint8_t* before = bytes.data();
  MoveToHugePages(bytes);
  EXPECT_EQ(bytes.data(), before);
}

TEST(HugePagesTest, ManyBytesAreMovedAndNoMoreIsHeld) {
  std::vector<uint8_t> bytes(size_t{16} << 20);
  bytes.reserve(bytes.size() + 100000);
  const uint8_t* before = bytes.data();
  MoveToHugePages(bytes);
  EXPECT_NE(bytes.data(), before);
  EXPECT_EQ(bytes.capacity(), bytes.size());
}

}  // namespace
}  // namespace segue
