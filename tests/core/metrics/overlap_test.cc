#include "core/metrics/overlap.h"

#include <ostream>
#include <string>
#include <vector>

#include "gmock/gmock.h"

namespace segue {
namespace {

struct Case {
  std::string name;
  std::vector<int32_t> expected;
  std::vector<int32_t> found;
  int32_t k;
  double overlap;
};

void PrintTo(const Case& test, std::ostream* out) { *out << test.name; }

class OverlapAtKTest : public ::testing::TestWithParam<Case> {};

TEST_P(OverlapAtKTest, IsTheSharedPartOfTheExpected) {
  const Case& test = GetParam();
  EXPECT_DOUBLE_EQ(OverlapAtK(test.expected, test.found, test.k), test.overlap);
}

INSTANTIATE_TEST_SUITE_P(
    Table, OverlapAtKTest,
    ::testing::Values(Case{"SameInAnotherOrder", {1, 2, 3}, {3, 1, 2}, 3, 1},
                      Case{"HalfIsShared", {1, 2, 3, 4}, {1, 9, 3, 8}, 4, .5},
                      Case{"NothingIsShared", {1, 2}, {3, 4}, 2, 0},
                      Case{"OnlyTheFirstKCount", {1, 2, 3}, {2, 1, 3}, 1, 0},
                      Case{"ShortExpectedCountsWhole", {1, 2}, {1, 2}, 10, 1},
                      Case{"ShortFoundLacksTheRest", {1, 2}, {1}, 2, .5},
                      Case{"NothingExpectedIsFound", {}, {1}, 3, 1},
                      Case{"NothingFound", {1}, {}, 3, 0}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace segue
