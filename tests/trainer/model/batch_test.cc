#include "trainer/model/batch.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace segue {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// One list of items a user.
Dataset Listens(int32_t items, const std::vector<std::vector<int32_t>>& users) {
  Dataset data;
  for (int32_t i = 0; i < items; ++i) data.items.Add(absl::StrCat("i", i));
  data.log.user_begins.push_back(0);
  for (const std::vector<int32_t>& user : users) {
    data.users.Add(absl::StrCat("u", data.users.size()));
    data.log.items.insert(data.log.items.end(), user.begin(), user.end());
    data.log.user_begins.push_back(data.log.size());
  }
  return data;
}

TEST(BatchTest, PlacesOfHistoriesThenSeedsThenCandidates) {
  const Dataset data = Listens(5, {{0, 1, 2, 0}, {3, 1}});
  Batch batch(data, {.history_length = 3});
  batch.FillWindows(0, {{.user = 0, .target = 3}, {.user = 1, .target = 5}});

  batch.AddCandidates({{0, 4}});
  EXPECT_EQ(batch.size(), 2);
  EXPECT_THAT(batch.items(), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(batch.item_places(), ElementsAre(0, 1, 2, -1, -1, 3,  // histories
                                               2, 3,                // seeds
                                               0, 4));  // candidates
  EXPECT_THAT(batch.mask(), ElementsAre(1, 1, 1, 0, 0, 1));
  EXPECT_THAT(batch.History(1), ElementsAre(-1, -1, 3));
  EXPECT_THAT(batch.users(), ElementsAre(0, 1));
  EXPECT_THAT(batch.user_places(), ElementsAre(0, 1));
  EXPECT_THAT(batch.targets(), ElementsAre(0, 1));
  EXPECT_THAT(batch.events(), ElementsAre(3, 5));
}

TEST(BatchTest, OccurrencesAreSortedByPlace) {
  const Dataset data = Listens(5, {{0, 1, 2, 0}, {3, 1}});
  Batch batch(data, {.history_length = 3});
  batch.FillWindows(0, {{.user = 0, .target = 3}, {.user = 1, .target = 5}});
  batch.AddCandidates({{0, 1}});
  EXPECT_THAT(batch.place_begins(), ElementsAre(0, 2, 4, 6, 8));
  EXPECT_THAT(batch.by_place(), ElementsAre(0, 8,    // item 0: and a candidate
                                            1, 9,    // item 1
                                            2, 6,    // item 2: history, seed
                                            5, 7));  // item 3
}

TEST(BatchTest, LongHistoryKeepsItsNewestOfThatUserOnly) {
  const Dataset data = Listens(6, {{5, 5, 5}, {0, 1, 2, 3, 4}});
  Batch batch(data, {.history_length = 2});
  batch.FillWindows(0, {{.user = 1, .target = 7}});
  EXPECT_THAT(batch.items(), ElementsAre(2, 3));
  EXPECT_THAT(batch.item_places(), ElementsAre(0, 1, 1));
}

TEST(BatchTest, EmptyHistoryIsOneUnknownItem) {
  const Dataset data = Listens(2, {{1, 0}});
  Batch batch(data, {.history_length = 2});
  batch.FillWindows(0, {{.user = 0, .target = 0}});
  EXPECT_THAT(batch.items(), ElementsAre(data.items.unknown_row()));
  EXPECT_THAT(batch.item_places(), ElementsAre(-1, 0, 0));
  EXPECT_THAT(batch.mask(), ElementsAre(0, 1));
}

TEST(BatchTest, AUserOfSeveralExamplesIsOneRow) {
  const Dataset data = Listens(3, {{0, 1, 2}, {2, 1}});
  Batch batch(data, {.history_length = 1});
  batch.FillWindows(0, {{.user = 1, .target = 4},
                        {.user = 0, .target = 2},
                        {.user = 1, .target = 4}});
  EXPECT_THAT(batch.users(), ElementsAre(1, 0));
  EXPECT_THAT(batch.user_places(), ElementsAre(0, 1, 0));
}

TEST(BatchTest, NoTraceOfTheBatchBefore) {
  const Dataset data = Listens(5, {{0, 1, 2, 0}, {3, 1}});
  Batch used(data, {.history_length = 3}), fresh(data, {.history_length = 3});
  used.FillWindows(0, {{.user = 0, .target = 3}, {.user = 1, .target = 5}});
  used.AddCandidates({{4, 0}});
  for (Batch* batch : {&used, &fresh}) {
    batch->FillWindows(1, {{.user = 1, .target = 5}});
    batch->AddCandidates(std::vector<int32_t>{1});
  }
  EXPECT_THAT(used.items(), ElementsAre(3, 1));
  EXPECT_EQ(used.items(), fresh.items());
  EXPECT_EQ(used.item_places(), fresh.item_places());
  EXPECT_EQ(used.users(), fresh.users());
  EXPECT_EQ(used.user_places(), fresh.user_places());
  EXPECT_EQ(used.mask(), fresh.mask());
  EXPECT_EQ(used.targets(), fresh.targets());
  EXPECT_EQ(used.events(), fresh.events());
  EXPECT_EQ(used.place_begins(), fresh.place_begins());
  EXPECT_EQ(used.by_place(), fresh.by_place());
}

TEST(BatchTest, EveryEventOfASequencePredictsTheNext) {
  const Dataset data = Listens(5, {{0, 1, 2, 0}, {3, 1}});
  Batch batch(data, {.history_length = 3});
  batch.FillSequences(0, {{{.user = 0, .begin = 1, .length = 2},
                           {.user = 1, .begin = 4, .length = 1}}});
  batch.AddCandidates({{0, 4}});
  EXPECT_EQ(batch.size(), 3);
  EXPECT_THAT(batch.items(), ElementsAre(1, 2, 3, 0, 4));
  EXPECT_THAT(batch.item_places(), ElementsAre(0, 1,  // of user 0
                                               2,     // of user 1
                                               3, 4));
  EXPECT_THAT(batch.targets(), ElementsAre(2, 0, 1));
  EXPECT_THAT(batch.events(), ElementsAre(2, 3, 5));
  EXPECT_THAT(batch.user_places(), ElementsAre(0, 0, 1));
  EXPECT_THAT(batch.positions(), ElementsAre(1, 0, 0));
  EXPECT_THAT(batch.begins(), ElementsAre(0, 2, 3));
  EXPECT_THAT(batch.History(1), ElementsAre(0, 1));
  EXPECT_THAT(batch.History(2), ElementsAre(2));
  batch.FillWindows(1, {{{.user = 1, .target = 5}}});
  EXPECT_THAT(batch.begins(), IsEmpty());
}

TEST(BatchTest, TimesAreThoseOfTheHistoriesWhereTheyAreAskedFor) {
  Dataset data = Listens(5, {{0, 1, 2, 0}, {3, 1}});
  data.log.times = {10, 20, 30, 40, 7, 9};
  const std::vector<EvaluationQuery> windows = {{.user = 0, .target = 3},
                                                {.user = 1, .target = 5},
                                                {.user = 1, .target = 4}};
  const std::vector<TrainingSequence> sequences = {
      {.user = 0, .begin = 1, .length = 2},
      {.user = 1, .begin = 4, .length = 1}};
  Batch batch(data, {.history_length = 2, .times = true});
  batch.FillWindows(0, windows);
  // Where there is no event, it is the time of the target.
  EXPECT_THAT(batch.times(), ElementsAre(20, 30, 9, 7, 7, 7));
  batch.FillSequences(1, sequences);
  EXPECT_THAT(batch.times(), ElementsAre(20, 30, 7));
  Batch without(data, {.history_length = 2});
  without.FillWindows(0, windows);
  EXPECT_THAT(without.times(), IsEmpty());
  without.FillSequences(1, sequences);
  EXPECT_THAT(without.times(), IsEmpty());
}

TEST(BatchTest, NoExamplesAreAnEmptyBatch) {
  const Dataset data = Listens(2, {{0, 1}});
  Batch batch(data, {.history_length = 2});
  batch.FillWindows(0, {});
  EXPECT_EQ(batch.size(), 0);
  EXPECT_THAT(batch.items(), IsEmpty());
  EXPECT_THAT(batch.item_places(), IsEmpty());
}

// 2,000 users of two items each.
class BatchDropoutTest : public ::testing::Test {
 protected:
  static constexpr int32_t kUsers = 2000;

  BatchDropoutTest() {
    std::vector<std::vector<int32_t>> users;
    for (int32_t u = 0; u < kUsers; ++u) {
      users.push_back({2 * u, 2 * u + 1});
      examples_.push_back({.user = u, .target = 2 * u + 1});
    }
    data_ = Listens(2 * kUsers, users);
  }
  Batch Filled(const Batch::Options& options, int64_t step) const {
    Batch batch(data_, options);
    batch.FillWindows(step, examples_);
    batch.AddCandidates(batch.targets());
    return batch;
  }
  static double Share(const std::vector<Hidden>& all, Hidden kind) {
    return double(std::count(all.begin(), all.end(), kind)) / all.size();
  }

  Dataset data_;
  std::vector<EvaluationQuery> examples_;
};

TEST_F(BatchDropoutTest, NothingIsHiddenUnlessAsked) {
  const Batch batch = Filled({.history_length = 1}, 0);
  EXPECT_EQ(batch.hidden_items().size(), 2u * kUsers);
  EXPECT_THAT(batch.hidden_items(), Each(Hidden::kNothing));
  EXPECT_THAT(batch.hidden_users(), Each(Hidden::kNothing));
}

TEST_F(BatchDropoutTest, HidesTheConfiguredShares) {
  const Batch batch = Filled(
      {.history_length = 1, .user_dropout = 0.5, .item_dropout = 0.3}, 0);
  EXPECT_NEAR(Share(batch.hidden_items(), Hidden::kNothing), 0.7, 0.03);
  EXPECT_NEAR(Share(batch.hidden_items(), Hidden::kEverything), 0.06, 0.02);
  EXPECT_NEAR(Share(batch.hidden_users(), Hidden::kNothing), 0.5, 0.03);
  EXPECT_THAT(batch.hidden_users(), Contains(Hidden::kEverything));
}

TEST_F(BatchDropoutTest, IsAFunctionOfSeedStepAndRow) {
  const Batch::Options options = {
      .history_length = 1, .user_dropout = 0.5, .item_dropout = 0.5, .seed = 3};
  Batch::Options other_seed = options;
  other_seed.seed = 4;
  const Batch batch = Filled(options, 8), again = Filled(options, 8);
  EXPECT_EQ(batch.hidden_items(), again.hidden_items());
  EXPECT_EQ(batch.hidden_users(), again.hidden_users());
  for (const Batch& other : {Filled(options, 9), Filled(other_seed, 8)}) {
    EXPECT_NE(batch.hidden_items(), other.hidden_items());
    EXPECT_NE(batch.hidden_users(), other.hidden_users());
  }

  // Nor does it matter what else is in the batch.
  Batch alone(data_, options);
  alone.FillWindows(8, {examples_[5]});
  EXPECT_EQ(alone.hidden_items()[0], batch.hidden_items()[5]);
  EXPECT_EQ(alone.hidden_users()[0], batch.hidden_users()[5]);
}

}  // namespace
}  // namespace segue
