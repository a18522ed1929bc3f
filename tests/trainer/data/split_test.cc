#include "trainer/data/split.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/data/dataset_text.h"
#include "tests/trainer/toy_dataset.h"

namespace segue {
namespace {

using ::segue::testing::Config;
using ::segue::testing::IsOk;
using ::segue::testing::StatusIs;
using ::segue::testing::ToyLog;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr uint32_t kDay = 86400;

// "user:target" of each query.
std::vector<std::string> Lines(const std::vector<EvaluationQuery>& queries) {
  std::vector<std::string> lines;
  for (const EvaluationQuery& query : queries) {
    lines.push_back(absl::StrCat(query.user, ":", query.target));
  }
  return lines;
}

// The split of `log` as the config `text` has it.
absl::StatusOr<Split> Divide(const EventLog& log, int32_t items,
                             const std::string& text) {
  return SplitEvents(log, items, Config("events.csv", text));
}

constexpr char kLeaveOneOut[] = "split { kind: LEAVE_ONE_OUT }";

TEST(LeaveOneOutTest, UsersOfOneTwoAndThreeEvents) {
  const EventLog log =
      ToyLog({{{0, 1}}, {{1, 1}, {2, 2}}, {{3, 1}, {4, 2}, {5, 3}}, {{6, 4}}});
  const auto split = Divide(log, 7, kLeaveOneOut);
  ASSERT_THAT(split, IsOk());
  EXPECT_THAT(Lines(split->validation), ElementsAre("2:4"));
  EXPECT_THAT(Lines(split->test), ElementsAre("2:5"));
  EXPECT_THAT(split->train_ends, ElementsAre(1, 3, 4, 7));
  EXPECT_EQ(split->training_events, 5);
  EXPECT_THAT(split->user_in_training, ElementsAre(true, true, true, true));
}

TEST(LeaveOneOutTest, ItemsHeldOutByAllAreUntrained) {
  const EventLog log =
      ToyLog({{{0, 1}, {1, 2}, {2, 9}}, {{1, 1}, {0, 2}, {3, 3}}});
  const auto split = Divide(log, 5, kLeaveOneOut);
  ASSERT_THAT(split, IsOk());
  EXPECT_THAT(split->item_in_training,
              ElementsAre(true, true, false, false, false));
  EXPECT_EQ(split->latest_training_time, 1u);
}

TEST(LeaveOneOutTest, LastTwoTargetsAreHeldOut) {
  EventLog log = ToyLog({{{0, 1}, {1, 2}, {2, 3}, {3, 4}, {0, 5}},
                         {{0, 1}, {1, 2}, {2, 3}},
                         {{0, 1}, {1, 2}, {2, 3}}});
  // One with something before its first target, one without, one with a single
  // target.
  log.targets = {false, true,  false, true,  false, true,
                 true,  false, false, false, true};
  const auto split = Divide(log, 4, kLeaveOneOut);
  ASSERT_THAT(split, IsOk());
  EXPECT_THAT(Lines(split->validation), ElementsAre("0:1"));
  EXPECT_THAT(Lines(split->test), ElementsAre("0:3"));
  EXPECT_THAT(split->train_ends, ElementsAre(1, 8, 11));
}

TEST(LeaveOneOutTest, OrderIsEnough) {
  const EventLog log = ToyLog({{{0, 7}, {1, 7}, {2, 7}}});
  const auto split =
      Divide(log, 3, absl::StrCat(kLeaveOneOut, "events { time_unit: ORDER }"));
  ASSERT_THAT(split, IsOk());
  EXPECT_THAT(Lines(split->test), ElementsAre("0:2"));
}

TEST(LeaveOneOutTest, NothingToTestIsRefused) {
  const EventLog log = ToyLog({{{0, 1}, {1, 2}}, {{1, 1}}});
  EXPECT_THAT(Divide(log, 2, kLeaveOneOut),
              StatusIs(kInvalid, AllOf(HasSubstr("3 of 3 events to train on"),
                                       HasSubstr("0 test queries"))));
}

constexpr char kTwoAndOne[] =
    "split { kind: LAST_DAYS validation_days: 2 test_days: 1 }";

TEST(LastDaysTest, PeriodsCountBackFromTheNewestEvent) {
  // Newest: day 10. Test from day 9, validation from day 7.
  const EventLog log = ToyLog({{{0, 1 * kDay},
                                {1, 7 * kDay - 1},
                                {2, 7 * kDay},
                                {3, 9 * kDay - 1},
                                {4, 9 * kDay},
                                {5, 10 * kDay}}});
  const auto split = Divide(log, 6, kTwoAndOne);
  ASSERT_THAT(split, IsOk());
  EXPECT_THAT(split->train_ends, ElementsAre(2));
  EXPECT_THAT(Lines(split->validation), ElementsAre("0:2", "0:3"));
  EXPECT_THAT(Lines(split->test), ElementsAre("0:4", "0:5"));
  EXPECT_EQ(split->training_events, 2);
  EXPECT_EQ(split->latest_training_time, 7 * kDay - 1);
}

TEST(LastDaysTest, OnlyTargetsAreQueries) {
  EventLog log = ToyLog({{{0, 0},
                          {1, kDay},
                          {2, 8 * kDay},
                          {3, 9 * kDay},
                          {4, 14 * kDay},
                          {5, 15 * kDay}}});
  log.targets = {false, true, false, true, true, false};
  const auto split = Divide(log, 6,
                            "split { kind: LAST_DAYS validation_days: 7 "
                            "test_days: 2 }");
  ASSERT_THAT(split, IsOk());
  EXPECT_THAT(split->train_ends, ElementsAre(2));
  EXPECT_THAT(Lines(split->validation), ElementsAre("0:3"));
  EXPECT_THAT(Lines(split->test), ElementsAre("0:4"));
}

TEST(LastDaysTest, HistoriesReachBackAcrossTheCut) {
  const EventLog log =
      ToyLog({{{0, 0}, {1, 10 * kDay}}, {{0, 9 * kDay}, {1, 10 * kDay}}});
  const auto split =
      Divide(log, 2, "split { kind: LAST_DAYS validation_days: 0 }");
  ASSERT_THAT(split, IsOk());
  // User 0's only event before the test is a training one; user 1's first event
  // of all has no history, the second has it.
  EXPECT_THAT(Lines(split->test), ElementsAre("0:1", "1:3"));
  EXPECT_THAT(split->validation, IsEmpty());
}

TEST(LastDaysTest, UsersAndItemsAfterTheCutAreUntrained) {
  const EventLog log = ToyLog(
      {{{0, 0}, {2, 10 * kDay}}, {{1, 10 * kDay}, {0, 10 * kDay}}, {{1, 0}}});
  const auto split = Divide(log, 4, kTwoAndOne);
  ASSERT_THAT(split, IsOk());
  EXPECT_THAT(split->user_in_training, ElementsAre(true, false, true));
  EXPECT_THAT(split->item_in_training, ElementsAre(true, true, false, false));
  EXPECT_THAT(split->train_ends, ElementsAre(1, 2, 5));
}

TEST(LastDaysTest, EqualTimesAreNeverParted) {
  const EventLog log = ToyLog({{{0, 0},
                                {1, 9 * kDay},
                                {2, 9 * kDay},
                                {3, 9 * kDay},
                                {4, 10 * kDay},
                                {5, 10 * kDay}},
                               {{6, 9 * kDay - 1}, {7, 9 * kDay - 1}}});
  const auto split =
      Divide(log, 8, "split { validation_days: 0 test_days: 1 }");
  ASSERT_THAT(split, IsOk());
  EXPECT_THAT(split->train_ends, ElementsAre(1, 8));
  EXPECT_THAT(Lines(split->test),
              ElementsAre("0:1", "0:2", "0:3", "0:4", "0:5"));
}

TEST(LastDaysTest, PartsOfADayCount) {
  const EventLog log = ToyLog({{{0, 0}, {1, 999}, {2, 1000}, {3, 44200}}});
  const auto split =
      Divide(log, 4, "split { validation_days: 0 test_days: 0.5 }");
  ASSERT_THAT(split, IsOk());
  EXPECT_THAT(Lines(split->test), ElementsAre("0:2", "0:3"));
}

// Test from second 91000, validation from 4000 (a day and a minute before),
// training to 3400; newest event: 177400.
constexpr char kGap[] =
    "split { validation_days: 1 test_days: 1 gap_minutes: 10 }";

TEST(GapTest, EventsInItAreNeitherTrainedOnNorToBeFound) {
  const EventLog log = ToyLog({{{0, 3399},
                                {1, 3400},
                                {2, 3999},
                                {3, 4000},
                                {4, 90399},
                                {5, 90400},
                                {6, 90999},
                                {7, 91000},
                                {8, 177400}}});
  const auto split = Divide(log, 9, kGap);
  ASSERT_THAT(split, IsOk());
  EXPECT_THAT(split->train_ends, ElementsAre(1));
  EXPECT_EQ(split->training_events, 1);
  EXPECT_THAT(Lines(split->validation), ElementsAre("0:3", "0:4"));
  EXPECT_THAT(Lines(split->test), ElementsAre("0:7", "0:8"));
  EXPECT_THAT(split->item_in_training,
              ElementsAre(true, false, false, false, false, false, false, false,
                          false));
}

TEST(GapTest, IsThereOnceWithoutValidation) {
  const EventLog log = ToyLog({{{0, 399}, {1, 400}, {2, 1000}, {3, 87400}}});
  const auto split = Divide(
      log, 4, "split { validation_days: 0 test_days: 1 gap_minutes: 10 }");
  ASSERT_THAT(split, IsOk());
  EXPECT_THAT(split->train_ends, ElementsAre(1));
  EXPECT_THAT(split->validation, IsEmpty());
  EXPECT_THAT(Lines(split->test), ElementsAre("0:2", "0:3"));
}

// "user:[history) items" of each query.
std::vector<std::string> Questions(const EventLog& log,
                                   const std::vector<EvaluationQuery>& all) {
  std::vector<std::string> lines;
  for (const EvaluationQuery& query : all) {
    lines.push_back(absl::StrCat(query.user, ":", log.user_begins[query.user],
                                 "-", query.target, " ",
                                 absl::StrJoin(TargetItems(log, query), " ")));
  }
  return lines;
}

TEST(UserSplitTest, AsksOnceForAllItemsOfThePeriod) {
  const EventLog log = ToyLog({{{5, 3399},
                                {1, 3500},
                                {9, 4000},
                                {2, 5000},
                                {9, 90399},
                                {3, 90400},
                                {7, 91000},
                                {4, 92000},
                                {7, 177400}},
                               {{6, 100}, {8, 91000}}});
  const auto split = Divide(
      log, 10, absl::StrCat(kGap, "evaluation { protocol: USER_SPLIT }"));
  ASSERT_THAT(split, IsOk());
  // Histories end before the gap: its events were not there yet.
  EXPECT_THAT(Questions(log, split->validation), ElementsAre("0:0-1 2 9"));
  EXPECT_THAT(Questions(log, split->test),
              ElementsAre("0:0-5 4 7", "1:9-10 8"));
  EXPECT_THAT(split->train_ends, ElementsAre(1, 10));
}

TEST(UserSplitTest, UserWithoutHistoryOrWithoutTestEventsIsNotAsked) {
  const EventLog log =
      ToyLog({{{0, 0}, {1, 100}}, {{2, 200000}}, {{3, 0}, {4, 200000}}});
  const auto split = Divide(log, 5,
                            "split { validation_days: 0 test_days: 1 } "
                            "evaluation { protocol: USER_SPLIT }");
  ASSERT_THAT(split, IsOk());
  EXPECT_THAT(Questions(log, split->test), ElementsAre("2:3-4 4"));
}

TEST(UserSplitTest, OfLeaveOneOutAsksForTheLastEvent) {
  const EventLog log = ToyLog({{{3, 1}, {4, 2}, {5, 3}}});
  const auto split =
      Divide(log, 6,
             absl::StrCat(kLeaveOneOut, "evaluation { protocol: USER_SPLIT }"));
  ASSERT_THAT(split, IsOk());
  EXPECT_THAT(Questions(log, split->test), ElementsAre("0:0-2 5"));
}

TEST(LastDaysTest, OrderIsRefused) {
  const EventLog log = ToyLog({{{0, 1}, {1, 2}, {2, 3}}});
  EXPECT_THAT(Divide(log, 3, "events { time_unit: ORDER }"),
              StatusIs(kInvalid, AllOf(HasSubstr("LAST_DAYS"),
                                       HasSubstr("events.time_unit is ORDER"),
                                       HasSubstr("LEAVE_ONE_OUT"))));
}

TEST(LastDaysTest, NothingToTrainIsRefused) {
  const EventLog log = ToyLog({{{0, 0}, {1, 10}, {2, 20}}});
  EXPECT_THAT(Divide(log, 3, "split { test_days: 7 }"),
              StatusIs(kInvalid, AllOf(HasSubstr("0 of 3 events to train on"),
                                       HasSubstr("shorten split.test_days"))));
}

TEST(LastDaysTest, NoTestDaysIsRefused) {
  const EventLog log = ToyLog({{{0, 0}, {1, 10 * kDay}}});
  EXPECT_THAT(Divide(log, 2, "split { test_days: 0 validation_days: 1 }"),
              StatusIs(kInvalid, HasSubstr("0 test queries")));
}

TEST(LastDaysTest, NegativeAndUndefinedDaysAreRefused) {
  const EventLog log = ToyLog({{{0, 0}, {1, 10 * kDay}}});
  EXPECT_THAT(Divide(log, 2, "split { test_days: -1 }"),
              StatusIs(kInvalid, HasSubstr("test_days is -1")));
  EXPECT_THAT(Divide(log, 2, "split { validation_days: nan }"),
              StatusIs(kInvalid, HasSubstr("validation_days is nan")));
  EXPECT_THAT(Divide(log, 2, "split { gap_minutes: -1 }"),
              StatusIs(kInvalid, HasSubstr("gap_minutes is -1")));
}

std::vector<EvaluationQuery> Queries(int32_t count) {
  std::vector<EvaluationQuery> queries(count);
  for (int32_t i = 0; i < count; ++i) queries[i] = {i / 2, i};
  return queries;
}

TEST(SampleQueriesTest, DrawsThatManyInTheirOldOrder) {
  const std::vector<std::string> all = Lines(Queries(100));
  const std::vector<std::string> sample =
      Lines(SampleQueries(Queries(100), 30, /*seed=*/1));
  ASSERT_EQ(sample.size(), 30u);
  auto at = all.begin();
  for (const std::string& line : sample) {
    at = std::find(at, all.end(), line);
    ASSERT_NE(at, all.end()) << line;
    ++at;
  }
}

TEST(SampleQueriesTest, TheSeedDecides) {
  const auto sample = [](uint64_t seed) {
    return Lines(SampleQueries(Queries(100), 30, seed));
  };
  EXPECT_EQ(sample(1), sample(1));
  EXPECT_NE(sample(1), sample(2));
}

TEST(SampleQueriesTest, AllWhereThereAreFewerOrNoneIsAskedFor) {
  EXPECT_EQ(SampleQueries(Queries(5), 6, 1).size(), 5u);
  EXPECT_EQ(SampleQueries(Queries(5), 5, 1).size(), 5u);
  EXPECT_EQ(SampleQueries(Queries(5), 0, 1).size(), 5u);
  EXPECT_THAT(SampleQueries({}, 3, 1), IsEmpty());
}

// Each query is drawn about as often as any other.
TEST(SampleQueriesTest, DrawsEvenly) {
  std::vector<int> drawn(20);
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    for (const EvaluationQuery& query : SampleQueries(Queries(20), 5, seed)) {
      ++drawn[query.target];
    }
  }
  EXPECT_GT(*std::min_element(drawn.begin(), drawn.end()), 180);
  EXPECT_LT(*std::max_element(drawn.begin(), drawn.end()), 320);
}

}  // namespace
}  // namespace segue
