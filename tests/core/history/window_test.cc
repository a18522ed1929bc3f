#include "core/history/window.h"

#include <vector>

#include "gmock/gmock.h"

namespace segue {
namespace {

using ::testing::ElementsAre;

constexpr int32_t kUnknown = 99;

struct Window {
  std::vector<int32_t> rows;
  std::vector<float> mask;
  int32_t seed;
};

Window Fill(const std::vector<int32_t>& history, int length) {
  // What was there before must not shine through.
  Window window = {std::vector<int32_t>(length, 7),
                   std::vector<float>(length, 7.0f), 0};
  window.seed = FillWindow(history, kUnknown, absl::MakeSpan(window.rows),
                           absl::MakeSpan(window.mask));
  return window;
}

TEST(FillWindowTest, ALongHistoryKeepsItsNewest) {
  const Window window = Fill({1, 2, 3, 4}, 3);
  EXPECT_THAT(window.rows, ElementsAre(2, 3, 4));
  EXPECT_THAT(window.mask, ElementsAre(1, 1, 1));
  EXPECT_EQ(window.seed, 4);
}

TEST(FillWindowTest, AShortHistoryIsPaddedInFront) {
  const Window window = Fill({5, 6}, 4);
  EXPECT_THAT(window.rows, ElementsAre(kPaddingRow, kPaddingRow, 5, 6));
  EXPECT_THAT(window.mask, ElementsAre(0, 0, 1, 1));
  EXPECT_EQ(window.seed, 6);
}

TEST(FillWindowTest, AnEmptyHistoryIsOneUnknownItem) {
  const Window window = Fill({}, 2);
  EXPECT_THAT(window.rows, ElementsAre(kPaddingRow, kUnknown));
  EXPECT_THAT(window.mask, ElementsAre(0, 1));
  EXPECT_EQ(window.seed, kUnknown);
}

TEST(FillWindowTest, AWindowOfOneHoldsTheNewest) {
  const Window window = Fill({5, 6}, 1);
  EXPECT_THAT(window.rows, ElementsAre(6));
  EXPECT_THAT(window.mask, ElementsAre(1));
}

std::vector<int64_t> FillTimes(const std::vector<uint32_t>& times, int64_t now,
                               int length) {
  std::vector<int64_t> out(length, 7);
  FillWindowTimes(absl::MakeConstSpan(times), now, absl::MakeSpan(out));
  return out;
}

TEST(FillWindowTimesTest, TimesStandWhereTheirEventsDo) {
  EXPECT_THAT(FillTimes({1, 2, 3, 4}, 9, 3), ElementsAre(2, 3, 4));
  EXPECT_THAT(FillTimes({5, 6}, 9, 2), ElementsAre(5, 6));
}

TEST(FillWindowTimesTest, WhereThereIsNoneItIsNow) {
  EXPECT_THAT(FillTimes({5, 6}, 9, 4), ElementsAre(9, 9, 5, 6));
  EXPECT_THAT(FillTimes({}, 9, 2), ElementsAre(9, 9));
}

}  // namespace
}  // namespace segue
