#include "core/base/descriptor.h"

#include <fcntl.h>

#include <utility>

#include "gmock/gmock.h"

namespace segue {
namespace {

bool IsOpen(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

TEST(DescriptorTest, ClosesOnDestruction) {
  int fd = -1;
  {
    const Descriptor owner(::open("/dev/null", O_RDONLY));
    fd = owner.get();
    ASSERT_TRUE(IsOpen(fd));
  }
  EXPECT_FALSE(IsOpen(fd));
}

TEST(DescriptorTest, MovingHandsItOver) {
  Descriptor first(::open("/dev/null", O_RDONLY));
  const int fd = first.get();
  const Descriptor second = std::move(first);
  // What was moved from is empty: that is what is promised.
  // NOLINTNEXTLINE(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  EXPECT_FALSE(first.is_open());
  EXPECT_EQ(second.get(), fd);
  EXPECT_TRUE(IsOpen(fd));
}

}  // namespace
}  // namespace segue
