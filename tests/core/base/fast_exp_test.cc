#include "core/base/fast_exp.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"

namespace segue {
namespace {

TEST(FastExpTest, AgreesWithTheLibrary) {
  for (int i = 0; i <= 86000; ++i) {
    const float x = -0.001f * static_cast<float>(i);
    ASSERT_NEAR(ExpOfNegative(x) / std::exp(x), 1, 3e-7) << x;
  }
  EXPECT_EQ(ExpOfNegative(0), 1);
}

TEST(FastExpTest, FarBelowIsNothing) {
  EXPECT_EQ(ExpOfNegative(-88), 0);
  EXPECT_EQ(ExpOfNegative(-std::numeric_limits<float>::infinity()), 0);
}

}  // namespace
}  // namespace segue
