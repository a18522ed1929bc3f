#include "trainer/evaluation/slices.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "tests/trainer/toy_dataset.h"
#include "trainer/evaluation/popularity.h"

namespace segue {
namespace {

using ::segue::testing::ToyEvent;
using ::segue::testing::ToyLog;
using ::testing::Contains;
using ::testing::ElementsAre;

// "dimension label: queries recall@5" of each slice.
std::vector<std::string> Lines(const v1::SplitReport& report) {
  std::vector<std::string> lines;
  for (const v1::SliceReport& slice : report.slices()) {
    lines.push_back(absl::StrCat(slice.dimension(), " ", slice.label(), ": ",
                                 slice.queries(), " ",
                                 slice.exact().recall().at("5")));
  }
  return lines;
}

// 100 trained items: row i has 100 - i events of user 0; row 100 has none.
class SlicesTest : public ::testing::Test {
 protected:
  SlicesTest() {
    std::vector<ToyEvent> often;
    for (int32_t item = 0; item < 100; ++item) {
      for (int32_t n = item; n < 100; ++n) often.push_back({item, 0});
    }
    log_ = ToyLog({often, {{0, 1}, {0, 2}, {9, 3}, {60, 4}, {100, 5}}});
    const int64_t first = log_.user_begins[1];
    split_.train_ends = {first, first};
    split_.user_in_training = {true, false};
    split_.item_in_training.assign(101, true);
    split_.item_in_training[100] = false;
    begin_ = first;
  }

  v1::SplitReport Slices(const std::vector<EvaluationQuery>& queries,
                         const RankedLists& lists) const {
    const std::vector<Slice> slices =
        MakeSlices(log_, split_, CountTraining(log_, split_, 101));
    const EvaluationSet set =
        MakeEvaluationSet(log_, queries, /*filter_seen=*/false);
    SliceMetrics metrics(slices);
    metrics.Add(set, lists);
    SliceRecalls recalls(slices);
    recalls.Add(set, lists);
    v1::SplitReport report;
    metrics.AddTo(/*resamples=*/5, /*seed=*/1, report);
    recalls.AddTo("the same", report);
    return report;
  }

  EventLog log_;
  Split split_;
  int64_t begin_ = 0;
};

TEST_F(SlicesTest, DivideQueriesByTheirTargets) {
  // Targets 0, 9, 60 and 100; found: 9 and 100.
  const v1::SplitReport report = Slices(
      {{1, begin_ + 1}, {1, begin_ + 2}, {1, begin_ + 3}, {1, begin_ + 4}},
      {{1}, {9}, {9}, {2, 100}});
  EXPECT_THAT(
      Lines(report),
      ElementsAre("history length 1-5: 4 0.5", "item popularity top 1 %: 1 0",
                  "item popularity next 9 %: 1 1", "item popularity rest: 1 0",
                  "new user yes: 4 0.5", "new item yes: 1 1"));
  EXPECT_EQ(report.slices(0).exact().recall_interval().count("5"), 1u);
}

TEST_F(SlicesTest, KnownUserAndItemHaveNoSliceOfTheNew) {
  const v1::SplitReport report = Slices({{0, 30}}, {{0}});
  EXPECT_THAT(Lines(report), ElementsAre("history length 21-100: 1 1",
                                         "item popularity top 1 %: 1 1"));
}

TEST_F(SlicesTest, BaselinesHaveTheirRecallBeside) {
  // As the lists are the same, so are the figures; of one query two of four
  // targets are found.
  const v1::SplitReport report =
      Slices({{1, begin_ + 2}, {.user = 1, .target = begin_ + 1, .targets = 4}},
             {{9}, {100, 9, 7}});
  for (const v1::SliceReport& slice : report.slices()) {
    ASSERT_EQ(slice.baselines_size(), 1);
    EXPECT_EQ(slice.baselines(0).name(), "the same");
    EXPECT_EQ(slice.baselines(0).recall_size(), 2);
    for (const char* k : {"10", "100"}) {
      EXPECT_DOUBLE_EQ(slice.baselines(0).recall().at(k),
                       slice.exact().recall().at(k));
    }
  }
  EXPECT_DOUBLE_EQ(report.slices(0).baselines(0).recall().at("10"), 0.75);
}

TEST_F(SlicesTest, ItemsThatAreNeverTargetsAreTheLeastPopular) {
  log_.targets.assign(log_.size(), true);
  for (int64_t e = 0; e < 100; ++e) log_.targets[e] = false;  // all of item 0
  EXPECT_THAT(Lines(Slices({{1, begin_ + 1}}, {{0}})),
              Contains("item popularity rest: 1 1"));
}

TEST_F(SlicesTest, HistoriesAreCountedWhole) {
  for (const auto& [length, label] :
       std::vector<std::pair<int64_t, std::string>>{{5, "1-5"},
                                                    {6, "6-20"},
                                                    {20, "6-20"},
                                                    {21, "21-100"},
                                                    {100, "21-100"},
                                                    {101, "101-1000"},
                                                    {1000, "101-1000"},
                                                    {1001, "over 1000"}}) {
    EXPECT_THAT(Lines(Slices({{0, length}}, {{}})),
                Contains("history length " + label + ": 1 0"));
  }
}

TEST_F(SlicesTest, OfSeveralTargetsEachSliceAsksForItsOwn) {
  // Targets 0, 9, 60 and 100 at once, 9 and 100 are found.
  const v1::SplitReport report =
      Slices({{.user = 1, .target = begin_ + 1, .targets = 4}}, {{9, 7, 100}});
  EXPECT_THAT(
      Lines(report),
      ElementsAre("history length 1-5: 1 0.5", "item popularity top 1 %: 1 0",
                  "item popularity next 9 %: 1 1", "item popularity rest: 1 0",
                  "new user yes: 1 0.5", "new item yes: 1 1"));
}

}  // namespace
}  // namespace segue
