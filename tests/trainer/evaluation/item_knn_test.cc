#include "trainer/evaluation/item_knn.h"

#include <cmath>
#include <vector>

#include "gmock/gmock.h"
#include "tests/trainer/toy_dataset.h"
#include "trainer/base/random.h"
#include "trainer/evaluation/item_scores.h"
#include "trainer/evaluation/popularity.h"

namespace segue {
namespace {

using ::segue::testing::ToyEvent;
using ::segue::testing::ToyLog;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// A log whose last user asks; all before its last event trains.
struct Case {
  explicit Case(const std::vector<std::vector<ToyEvent>>& users)
      : log(ToyLog(users)) {
    split.train_ends.assign(log.user_begins.begin() + 1, log.user_begins.end());
    --split.train_ends.back();
  }

  std::vector<int32_t> Answer(bool filter_seen, int32_t history = 20) const {
    const EvaluationSet set = MakeEvaluationSet(
        log, {{.user = log.users() - 1, .target = log.size() - 1}},
        filter_seen);
    return ItemKnn(log, split, CountTraining(log, split, 10), set, history,
                   /*threads=*/2)[0];
  }

  EventLog log;
  Split split;
};

std::vector<ToyEvent> Items(const std::vector<int32_t>& items) {
  std::vector<ToyEvent> events;
  for (const int32_t item : items) events.push_back({item, 0});
  return events;
}

TEST(ItemKnnTest, NearerAndMoreOftenTogetherIsMoreSimilar) {
  // 2 follows on 1 twice, 3 stands farther away, 4 is there once.
  const Case c({Items({1, 2, 3}), Items({1, 2, 3}), Items({1, 4}),
                Items({5, 6}), Items({1, 9})});
  EXPECT_THAT(c.Answer(/*filter_seen=*/true), ElementsAre(2, 3, 4));
}

TEST(ItemKnnTest, ItemOfTheHistoryIsMostSimilarToItself) {
  const Case c({Items({1, 2}), Items({1, 9})});
  EXPECT_THAT(c.Answer(/*filter_seen=*/false), ElementsAre(1, 2));
}

TEST(ItemKnnTest, CosineHoldsPopularItemsBack) {
  // 2 and 3 stand next to 1 equally often; 3 is everywhere else, too.
  const Case c({Items({2, 1, 3}), Items({2, 1, 3}), Items({3, 5}),
                Items({3, 6}), Items({3, 7}), Items({3, 8}), Items({1, 9})});
  EXPECT_EQ(c.Answer(/*filter_seen=*/true)[0], 2);
}

TEST(ItemKnnTest, NewerItemsOfTheHistoryCountMore) {
  const Case c({Items({1, 3}), Items({2, 4}), Items({2, 1, 9})});
  EXPECT_THAT(c.Answer(/*filter_seen=*/true), ElementsAre(3, 4));
}

TEST(ItemKnnTest, OnlyTheNewestOfTheHistoryAreAsked) {
  const Case c({Items({1, 3}), Items({2, 4}), Items({2, 1, 1, 9})});
  // The newest two different ones are 1 and 2, wherever 1 is repeated.
  EXPECT_THAT(c.Answer(/*filter_seen=*/true, /*history=*/1), ElementsAre(3));
  EXPECT_THAT(c.Answer(/*filter_seen=*/true, /*history=*/2), ElementsAre(3, 4));
}

TEST(ItemKnnTest, HeldOutEventsTeachNothing) {
  Case c({Items({1, 3}), Items({1, 9})});
  c.split.train_ends[0] = 1;
  EXPECT_THAT(c.Answer(/*filter_seen=*/true), IsEmpty());
}

TEST(ItemKnnTest, HistoryOnlyEventsSpeakForTargetsAndAreNoAnswers) {
  // 3 and 4 stand beside 1, 3 as history only; so does the 1 itself.
  Case c({Items({3, 1, 4}), Items({1, 9})});
  c.log.targets = {false, false, true, true, true};
  EXPECT_THAT(c.Answer(/*filter_seen=*/true), ElementsAre(4));
  c.log.targets[0] = true;
  EXPECT_THAT(c.Answer(/*filter_seen=*/true), ElementsAre(3, 4));
}

TEST(ItemKnnTest, CosineCountsACandidatesTargetsOnly) {
  // 2 and 3 stand next to 1 once each; what else there is of 3 becomes
  // history only.
  Case c({Items({3, 1, 2}), Items({2, 5}), Items({2, 5}), Items({3, 5}),
          Items({3, 5}), Items({1, 9})});
  EXPECT_EQ(c.Answer(/*filter_seen=*/true)[0], 2);
  c.log.targets.assign(c.log.size(), true);
  c.log.targets[7] = c.log.targets[9] = false;
  EXPECT_EQ(c.Answer(/*filter_seen=*/true)[0], 3);
}

TEST(ItemKnnTest, UsersDoNotRunIntoEachOther) {
  const Case c({Items({3, 1}), Items({4, 5}), Items({1, 9})});
  EXPECT_THAT(c.Answer(/*filter_seen=*/true), ElementsAre(3));
}

TEST(ItemKnnTest, FarApartIsNotTogether) {
  std::vector<int32_t> items(51, 2);
  items.front() = 1;
  items.push_back(3);  // 51 places after 1
  const Case c({Items(items), Items({1, 9})});
  EXPECT_THAT(c.Answer(/*filter_seen=*/true), ElementsAre(2));
}

TEST(ItemKnnTest, ThreadsAndNeighboursDoNotChangeAnAnswer) {
  Random random(1);
  std::vector<std::vector<ToyEvent>> users(60);
  std::vector<EvaluationQuery> queries;
  int64_t events = 0;
  for (int32_t user = 0; user < 60; ++user) {
    for (int i = 0; i < 30; ++i) {
      users[user].push_back({static_cast<int32_t>(random.Below(200)), 0});
    }
    events += 30;
    queries.push_back({user, events - 1});
  }
  const EventLog log = ToyLog(users);
  Split split;
  split.train_ends.assign(log.user_begins.begin() + 1, log.user_begins.end());
  const ItemCounts counts = CountTraining(log, split, 200);
  const EvaluationSet all = MakeEvaluationSet(log, queries, true);
  const RankedLists one = ItemKnn(log, split, counts, all, 20, 1);
  EXPECT_EQ(one, ItemKnn(log, split, counts, all, 20, 3));
  const EvaluationSet last = MakeEvaluationSet(log, {queries.back()}, true);
  EXPECT_EQ(one.back(), ItemKnn(log, split, counts, last, 20, 1)[0]);
  for (const int32_t seen : all.excluded[5]) {
    EXPECT_THAT(one[5], Not(Contains(seen)));
  }
}

TEST(ItemScoresTest, TakeForgets) {
  ItemScores scores(4);
  scores.Add(3, 0.5);
  scores.Add(1, 2);
  scores.Add(3, 1);
  const std::vector<Neighbor> taken = scores.Take();
  ASSERT_THAT(taken, SizeIs(2));
  EXPECT_EQ(taken[0].row, 3);
  EXPECT_THAT(taken[0].score, FloatEq(1.5));
  EXPECT_EQ(taken[1].row, 1);
  EXPECT_THAT(scores.Take(), IsEmpty());
}

TEST(KeepBestTest, RoomOfTheOthersIsGivenBack) {
  std::vector<Neighbor> rows(10000, {1, 0.5});
  KeepBest(3, rows);
  EXPECT_THAT(rows, SizeIs(3));
  EXPECT_LE(rows.capacity(), 6u);
}

TEST(KeepBestTest, TiesGoToTheLowerRow) {
  std::vector<Neighbor> rows = {{5, 1}, {2, 1}, {7, 3}, {1, 0}};
  KeepBest(3, rows);
  ASSERT_THAT(rows, SizeIs(3));
  EXPECT_EQ(rows[0].row, 7);
  EXPECT_EQ(rows[1].row, 2);
  EXPECT_EQ(rows[2].row, 5);
}

}  // namespace
}  // namespace segue
