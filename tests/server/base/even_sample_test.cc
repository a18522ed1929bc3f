#include "server/base/even_sample.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace segue {
namespace {

using ::testing::ElementsAre;

// The places, of `count`, that are taken.
std::vector<int> Taken(double share, int count) {
  EvenSample sample;
  std::vector<int> taken;
  for (int i = 0; i < count; ++i) {
    if (sample.Takes(share)) taken.push_back(i);
  }
  return taken;
}

TEST(EvenSampleTest, SpreadsWhatItTakes) {
  EXPECT_THAT(Taken(.25, 12), ElementsAre(3, 7, 11));
  EXPECT_EQ(Taken(.001, 100000).size(), 100U);
}

TEST(EvenSampleTest, NoneAndAll) {
  EXPECT_THAT(Taken(0, 100), ElementsAre());
  EXPECT_EQ(Taken(1, 100).size(), 100U);
}

TEST(EvenSampleTest, AShareMayChange) {
  EvenSample sample;
  EXPECT_FALSE(sample.Takes(0));
  EXPECT_TRUE(sample.Takes(1));
  EXPECT_FALSE(sample.Takes(.1));
}

}  // namespace
}  // namespace segue
