#include "trainer/evaluation/baselines.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "tests/trainer/toy_dataset.h"
#include "trainer/evaluation/popularity.h"

namespace segue {
namespace {

using ::segue::testing::ToyLog;
using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr uint32_t kDay = 86400;

class BaselinesTest : public ::testing::Test {
 protected:
  // The items 10 to 19 are popular, 1 recent, 2 what follows on 3; user 0 has 3
  // and goes on to 2.
  BaselinesTest() {
    std::vector<std::vector<testing::ToyEvent>> users = {{{3, 0}, {2, 9}}};
    for (int32_t item = 10; item < 20; ++item) {
      for (int32_t n = 0; n < 5; ++n) users.push_back({{item, 1}});
    }
    users.push_back({{3, 0}, {2, 0}});
    users.push_back({{1, 99 * kDay}});
    log_ = ToyLog(users);
    split_.train_ends = {1};
    split_.train_ends.insert(split_.train_ends.end(),
                             log_.user_begins.begin() + 2,
                             log_.user_begins.end());
    split_.latest_training_time = 99 * kDay;
    config_.mutable_evaluation()->set_bootstrap_samples(5);
    config_.mutable_evaluation()->set_filter_seen(true);
  }

  v1::Baselines Measured(int64_t target) {
    const ItemCounts counts = CountTraining(log_, split_, 2000);
    const std::vector<Slice> slices;
    Baselines baselines(log_, split_, counts, slices, config_, /*threads=*/2);
    baselines.Add(
        MakeEvaluationSet(log_, {{.user = 0, .target = target}}, true));
    v1::SplitReport report;
    baselines.Fill(
        [this](absl::string_view line) { lines_.emplace_back(line); }, report);
    return report.baselines();
  }

  EventLog log_;
  Split split_;
  v1::TrainerConfig config_;
  std::vector<std::string> lines_;
};

TEST_F(BaselinesTest, EachAnswersInItsOwnWay) {
  const v1::Baselines found = Measured(1);
  EXPECT_EQ(found.popularity().recall().at("10"), 0);
  EXPECT_EQ(found.popularity().recall().at("30"), 1);
  EXPECT_EQ(found.recent_popularity().recall().at("10"), 0);
  EXPECT_EQ(found.item_knn().recall().at("5"), 1);
  EXPECT_EQ(found.transitions().recall().at("5"), 1);
  EXPECT_THAT(lines_, ElementsAre(StartsWith("baseline popularity: recall@10"),
                                  StartsWith("baseline recent_popularity: "),
                                  StartsWith("baseline item_knn: "),
                                  StartsWith("baseline transitions: ")));
}

TEST_F(BaselinesTest, RecentItemLeadsTheRecentOnes) {
  log_.items[1] = 1;  // what user 0 goes on to
  const v1::Baselines found = Measured(1);
  EXPECT_EQ(found.recent_popularity().mrr(), 1);
  EXPECT_LT(found.popularity().mrr(), 0.2);
}

TEST_F(BaselinesTest, PopularIsWhatIsATargetOften) {
  log_.targets.assign(log_.size(), false);
  log_.targets[1] = log_.targets[log_.size() - 2] = true;  // both of item 2
  const v1::Baselines found = Measured(1);
  EXPECT_EQ(found.popularity().mrr(), 1);
  EXPECT_EQ(found.recent_popularity().mrr(), 1);
  EXPECT_EQ(found.popularity().popularity_rank().at("5"), 0.0004);
}

TEST_F(BaselinesTest, AllListsAreAsDeepAsReportsGo) {
  const v1::Baselines found = Measured(1);
  for (const auto* report : {&found.popularity(), &found.recent_popularity(),
                             &found.item_knn(), &found.transitions()}) {
    EXPECT_THAT(report->coverage().at("1000"), DoubleEq(1000. / 2000));
    EXPECT_EQ(report->recall().at("1000"), 1);
    EXPECT_EQ(report->popularity_rank().count("1000"), 1u);
  }
}

TEST_F(BaselinesTest, WithoutSecondsNothingIsRecent) {
  config_.mutable_events()->set_time_unit(v1::EventsConfig::ORDER);
  EXPECT_FALSE(Measured(1).has_recent_popularity());
}

v1::RankingReport Recall(double at_10, double at_100) {
  v1::RankingReport report;
  (*report.mutable_recall())["10"] = at_10;
  (*report.mutable_recall())["100"] = at_100;
  return report;
}

TEST(FindLossesTest, NamesWhatIsBetterAtEitherDepth) {
  v1::SplitReport report;
  *report.mutable_exact() = Recall(0.2, 0.5);
  *report.mutable_baselines()->mutable_popularity() = Recall(0.2, 0.5);
  *report.mutable_baselines()->mutable_item_knn() = Recall(0.1, 0.6);
  *report.mutable_baselines()->mutable_transitions() = Recall(0.3, 0.4);
  std::vector<std::string> lines;
  FindLosses([&](absl::string_view line) { lines.emplace_back(line); }, report);
  EXPECT_THAT(report.lost_to(), ElementsAre("item_knn", "transitions"));
  EXPECT_THAT(
      lines,
      ElementsAre("the model loses to item_knn: recall@10 0.2000 against "
                  "0.1000, recall@100 0.5000 against 0.6000",
                  HasSubstr("loses to transitions")));
}

TEST(FindLossesTest, ModelThatWinsLosesToNone) {
  v1::SplitReport report;
  *report.mutable_exact() = Recall(0.2, 0.5);
  *report.mutable_baselines()->mutable_item_knn() = Recall(0.1, 0.4);
  FindLosses([](absl::string_view) { FAIL(); }, report);
  EXPECT_THAT(report.lost_to(), IsEmpty());
}

}  // namespace
}  // namespace segue
