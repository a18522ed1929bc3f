#include "core/base/fast_exp.h"

#include <cmath>
#include <limits>
#include <vector>

#include "core/base/vectorised.h"
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

TEST(FastExpTest, RowsOfAnyLengthHaveTheirHighestAndTheirSum) {
  for (size_t count = 1; count < 20; ++count) {
    // The highest in each place.
    for (size_t place = 0; place < count; ++place) {
      std::vector<float> row(count, -2);
      row[place] = 1;
      const auto size = static_cast<int64_t>(count);
      EXPECT_EQ(Highest(row.data(), size), 1);
      const double expected = 1 + static_cast<double>(count - 1) * std::exp(-3);
      // Compiled for this processor and for any.
      std::vector<float> again = row;
      EXPECT_NEAR(Exponentials(row.data(), size, 1), expected, 1e-5);
      double sum = 0;
      Vectorised([&] { sum = Exponentials(again.data(), size, 1); });
      EXPECT_NEAR(sum, expected, 1e-5);
      EXPECT_NEAR(again[place], 1, 1e-6);
    }
  }
}

}  // namespace
}  // namespace segue
