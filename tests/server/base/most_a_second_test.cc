#include "server/base/most_a_second.h"

#include <chrono>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace segue {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

// Of calls at these times (in ms), those that are taken, with two a second.
std::vector<int> Taken(const std::vector<int>& times) {
  MostASecond<2> some;
  const auto begin = MostASecond<2>::Clock::now();
  std::vector<int> taken;
  for (int ms : times) {
    if (some.Takes(begin + milliseconds(ms))) taken.push_back(ms);
  }
  return taken;
}

TEST(MostASecondTest, TakesSoManyAtOnceAndThenNone) {
  EXPECT_THAT(Taken({0, 0, 0, 1, 999}), ElementsAre(0, 0));
}

TEST(MostASecondTest, NoSecondHasMoreWhereverItBegins) {
  EXPECT_THAT(Taken({0, 900, 999, 1000, 1001, 1899, 1900, 1901}),
              ElementsAre(0, 900, 1000, 1900));
}

TEST(MostASecondTest, WhatWasNotTakenCostsNothing) {
  EXPECT_THAT(Taken({0, 1, 500, 600, 700, 800, 900, 1000, 1001}),
              ElementsAre(0, 1, 1000, 1001));
}

TEST(MostASecondTest, AQuietTimeIsNotSaved) {
  EXPECT_THAT(Taken({60000, 60000, 60000}), ElementsAre(60000, 60000));
}

}  // namespace
}  // namespace segue
