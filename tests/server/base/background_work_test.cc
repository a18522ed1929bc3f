#include "server/base/background_work.h"

#include <semaphore>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace segue {
namespace {

using ::testing::ElementsAre;

// Its first task waits for Release().
class BackgroundWorkTest : public ::testing::Test {
 protected:
  void Block() {
    ASSERT_TRUE(work_.Push([this] {
      begun_.release();
      released_.acquire();
    }));
    begun_.acquire();
  }
  bool Push(int number) {
    return work_.Push([this, number] {
      done_.push_back(number);
      if (number == 9) begun_.release();
    });
  }

  std::binary_semaphore begun_{0}, released_{0};
  std::vector<int> done_;
  BackgroundWork work_{{.most_waiting = 3, .processor = 1}};
};

TEST_F(BackgroundWorkTest, DoesOneAfterTheOther) {
  Block();
  EXPECT_TRUE(Push(1));
  EXPECT_TRUE(Push(2));
  EXPECT_TRUE(Push(9));
  released_.release();
  begun_.acquire();
  work_.Stop();
  EXPECT_THAT(done_, ElementsAre(1, 2, 9));
}

TEST_F(BackgroundWorkTest, TakesNoMoreThanMayWait) {
  Block();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(work_.HasRoom());
    EXPECT_TRUE(Push(i));
  }
  EXPECT_FALSE(work_.HasRoom());
  EXPECT_FALSE(Push(3));
  released_.release();
}

TEST_F(BackgroundWorkTest, ClearDropsWhatWaits) {
  Block();
  EXPECT_TRUE(Push(1));
  EXPECT_TRUE(Push(2));
  work_.Clear();
  EXPECT_TRUE(Push(9));
  released_.release();
  begun_.acquire();
  work_.Stop();
  EXPECT_THAT(done_, ElementsAre(9));
}

TEST_F(BackgroundWorkTest, StoppedItTakesNothing) {
  work_.Stop();
  EXPECT_FALSE(work_.HasRoom());
  EXPECT_FALSE(Push(1));
}

}  // namespace
}  // namespace segue
