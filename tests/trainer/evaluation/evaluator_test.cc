#include "trainer/evaluation/evaluator.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/metrics/ranking_metrics.h"
#include "core/retrieval/retriever.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"
#include "tests/testing/tiny_bundle.h"
#include "tests/trainer/toy_dataset.h"
#include "trainer/evaluation/evaluation_set.h"
#include "trainer/evaluation/item_vectors.h"
#include "trainer/evaluation/popularity.h"
#include "trainer/evaluation/ranked_lists.h"
#include "trainer/evaluation/row_map.h"
#include "trainer/evaluation/serving_requests.h"
#include "trainer/evaluation/snapshot_answers.h"

namespace segue {
namespace {

using ::google::protobuf::util::MessageDifferencer;
using ::segue::testing::IsOk;
using ::segue::testing::PublishTinyBundle;
using ::segue::testing::StatusIs;
using ::segue::testing::TempFolder;
using ::segue::testing::ToyDataset;
using ::testing::DoubleEq;
using ::testing::HasSubstr;

v1::TrainerConfig Config(bool filter_seen = false) {
  v1::TrainerConfig config;
  config.mutable_split()->set_kind(v1::SplitConfig::LEAVE_ONE_OUT);
  config.mutable_evaluation()->set_filter_seen(filter_seen);
  config.mutable_evaluation()->set_bootstrap_samples(20);
  return config;
}

// The data is newer than the bundle, which has the items i0 to i11 and the
// users u0 to u2: rows differ, "new" is an item and u3 a user that the bundle
// lacks, and the bundle has items that the data lacks.
Dataset Data() {
  return ToyDataset({{"i7", "i3", "i1", "i0"},
                     {"i2", "i7", "new", "i3"},
                     {"i1", "i5", "i2", "new"},
                     {"i4", "i7", "i2", "i4"}});
}

// One snapshot for all tests: it is immutable.
class EvaluatorTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const TempFolder folder;
    auto version = PublishTinyBundle(folder.path(), {.items = 12});
    ASSERT_THAT(version, IsOk());
    auto bundle = OpenBundle(folder / *version, VerifyScope::kAll);
    ASSERT_THAT(bundle, IsOk());
    auto snapshot = LoadServingSnapshot(*bundle);
    ASSERT_THAT(snapshot, IsOk());
    snapshot_ = *std::move(snapshot);
  }
  static void TearDownTestSuite() { snapshot_.reset(); }

  static v1::EvaluationReport EvaluateAll(const Dataset& data,
                                          const v1::TrainerConfig& config,
                                          int32_t threads = 2) {
    const auto split = SplitEvents(data.log, data.items.size(), config);
    EXPECT_THAT(split, IsOk());
    const auto report = EvaluateSnapshot(*snapshot_, data, *split, config,
                                         threads, [](absl::string_view) {});
    EXPECT_THAT(report, IsOk());
    return report.value_or(v1::EvaluationReport());
  }

  static v1::SplitReport Evaluate(const Dataset& data,
                                  const v1::TrainerConfig& config) {
    return EvaluateAll(data, config).test();
  }

  // Place of the item in what the server would answer; -1: nowhere.
  static int64_t ServedRank(const v1::RetrieveRequest& request,
                            const std::string& item) {
    auto query = ResolveQuery(*snapshot_, request);
    EXPECT_THAT(query, IsOk());
    std::vector<float> vector;
    v1::RetrieveResponse answer;
    EXPECT_THAT(EmbedQueries(*snapshot_, {&*query}, vector), IsOk());
    EXPECT_THAT(SearchAndFill(*snapshot_, vector, *query, answer), IsOk());
    const auto& ids = answer.item_ids();
    const auto at = std::find(ids.begin(), ids.end(), item);
    return at == ids.end() ? -1 : at - ids.begin();
  }

  static std::shared_ptr<const ServingSnapshot> snapshot_;
};
std::shared_ptr<const ServingSnapshot> EvaluatorTest::snapshot_;

TEST_F(EvaluatorTest, ExactAndIndexAgreeWhereTheIndexIsFlat) {
  const v1::SplitReport report = Evaluate(Data(), Config());
  EXPECT_EQ(report.queries(), 4);
  for (int32_t k : kReportDepths) {
    const std::string key = absl::StrCat(k);
    EXPECT_EQ(report.exact().recall().at(key), report.ann().recall().at(key));
    EXPECT_EQ(report.exact().ndcg().at(key), report.ann().ndcg().at(key));
    EXPECT_EQ(report.ann().overlap().at(key), 1);
    EXPECT_EQ(report.ann_recall_ratio().at(key), 1);
    EXPECT_EQ(report.ann_recall_ratio_interval().at(key).low(), 1);
    EXPECT_EQ(report.ann_recall_ratio_interval().at(key).high(), 1);
  }
  EXPECT_EQ(report.exact().overlap_size(), 0);
}

TEST_F(EvaluatorTest, FiguresAreThoseOfServedAnswers) {
  const Dataset data = Data();
  for (bool filter_seen : {false, true}) {
    const v1::TrainerConfig config = Config(filter_seen);
    const auto split = SplitEvents(data.log, data.items.size(), config);
    ASSERT_THAT(split, IsOk());
    RankingMetrics served(kReportDepths);
    for (const EvaluationQuery& query : split->test) {
      v1::RetrieveRequest request = ToRequest(data, query, 3);
      request.set_top_k(12);
      request.set_exclude_history(filter_seen);
      served.Add(
          query.user,
          ServedRank(request,
                     std::string(data.items.id(data.log.items[query.target]))));
    }
    const v1::RankingReport expected = ToReport(
        served, config.evaluation().bootstrap_samples(), config.seed());
    v1::RankingReport exact = Evaluate(data, config).exact();
    exact.clear_coverage();  // not of the ranks
    exact.clear_popularity_rank();
    EXPECT_TRUE(MessageDifferencer::Equals(exact, expected))
        << exact.ShortDebugString() << "\n"
        << expected.ShortDebugString();
  }
}

TEST_F(EvaluatorTest, TargetThatTheBundleLacksIsNotFound) {
  const v1::SplitReport report = Evaluate(Data(), Config());
  // u2 went on to "new"; the other three are among the twelve.
  EXPECT_THAT(report.exact().recall().at("30"), DoubleEq(0.75));
  EXPECT_THAT(report.ann().recall().at("1000"), DoubleEq(0.75));
}

TEST_F(EvaluatorTest, FilterSeenLeavesTheWholeHistoryOut) {
  // u3's target is in its history, beyond the three events that are sent.
  const Dataset data = ToyDataset(
      {{"i7", "i3", "i1", "i0"}, {"i4", "i7", "i2", "i6", "i1", "i4"}});
  EXPECT_THAT(Evaluate(data, Config(false)).exact().recall().at("30"),
              DoubleEq(1));
  const v1::SplitReport filtered = Evaluate(data, Config(true));
  EXPECT_THAT(filtered.exact().recall().at("30"), DoubleEq(0.5));
  EXPECT_THAT(filtered.ann().recall().at("30"), DoubleEq(0.5));
  EXPECT_THAT(filtered.ann().overlap().at("30"), DoubleEq(1));
  EXPECT_THAT(filtered.baselines().popularity().recall().at("30"),
              DoubleEq(0.5));
}

TEST_F(EvaluatorTest, BaselineIsThatOfTheTrainingEvents) {
  const v1::SplitReport report = Evaluate(Data(), Config());
  // Each user's first two events train. By their number and then by row, the
  // order is i7 i3 i1 i2 i5 i4 i0 new: the targets i0, i3, new and i4 are
  // seventh, second, eighth and sixth.
  EXPECT_THAT(report.baselines().popularity().recall().at("5"), DoubleEq(0.25));
  EXPECT_THAT(report.baselines().popularity().recall().at("10"), DoubleEq(1));
}

TEST_F(EvaluatorTest, MaxQueriesBoundsEveryFigure) {
  v1::TrainerConfig config = Config();
  config.mutable_evaluation()->set_max_queries(2);
  const v1::SplitReport report = Evaluate(Data(), config);
  EXPECT_EQ(report.queries(), 2);
  // Two queries, so halves.
  const double popular = report.baselines().popularity().recall().at("5");
  EXPECT_EQ(2 * popular, std::round(2 * popular));
}

TEST_F(EvaluatorTest, ThreadsDoNotChangeTheFigures) {
  const v1::EvaluationReport one = EvaluateAll(Data(), Config(), 1);
  const v1::EvaluationReport three = EvaluateAll(Data(), Config(), 3);
  EXPECT_TRUE(MessageDifferencer::Equals(one, three));
}

// More queries than are answered at a time.
TEST_F(EvaluatorTest, BlocksOfQueriesDoNotChangeTheFigures) {
  std::vector<std::vector<std::string>> histories;
  for (size_t user = 0; user < kQueriesAtOnce + 5; ++user) {
    histories.push_back({absl::StrCat("i", user % 12),
                         absl::StrCat("i", (5 * user + 1) % 12),
                         absl::StrCat("i", (7 * user + user / 12) % 12)});
  }
  const Dataset data = ToyDataset(histories);
  v1::TrainerConfig config = Config();
  config.mutable_evaluation()->set_max_queries(0);
  const auto split = SplitEvents(data.log, data.items.size(), config);
  ASSERT_THAT(split, IsOk());
  RankingMetrics served(kReportDepths), popular(kReportDepths);
  const std::vector<int32_t> order =
      ByCount(CountTraining(data.log, *split, data.items.size()).targets);
  for (const EvaluationQuery& query : split->test) {
    const int32_t target = data.log.items[query.target];
    v1::RetrieveRequest request = ToRequest(data, query, 3);
    request.set_top_k(12);
    served.Add(query.user,
               ServedRank(request, std::string(data.items.id(target))));
    popular.Add(query.user, RankOf(order, target));
  }
  const v1::EvaluationReport report = EvaluateAll(data, config);
  const v1::SplitReport& test = report.test();
  EXPECT_EQ(test.queries(), static_cast<int32_t>(kQueriesAtOnce + 5));
  EXPECT_EQ(report.examples_size(), 6);
  EXPECT_EQ(test.ann().overlap().at("5"), 1);
  EXPECT_EQ(test.slices(0).queries(), test.queries());
  const RankingReport exact = served.Summarize(20, config.seed());
  const RankingReport baseline = popular.Summarize(20, config.seed());
  for (const int32_t k : kReportDepths) {
    const std::string key = absl::StrCat(k);
    EXPECT_EQ(test.exact().recall().at(key), exact.recall.at(k).mean);
    EXPECT_EQ(test.exact().ndcg_interval().at(key).low(), exact.ndcg.at(k).low);
    EXPECT_EQ(test.baselines().popularity().recall().at(key),
              baseline.recall.at(k).mean);
  }
}

TEST_F(EvaluatorTest, UsersAndSlicesAreOfTheQueriesAsked) {
  const v1::SplitReport report = Evaluate(Data(), Config());
  EXPECT_EQ(report.users(), 4);
  int32_t by_length = 0;
  bool new_item = false;
  for (const v1::SliceReport& slice : report.slices()) {
    if (slice.dimension() == "history length") by_length += slice.queries();
    // u2's "new" is an event of u1's validation and of no training.
    new_item =
        new_item || (slice.dimension() == "new item" && slice.queries() == 2);
  }
  EXPECT_EQ(by_length, 4);
  EXPECT_TRUE(new_item);
  for (const v1::SliceReport& slice : report.slices()) {
    ASSERT_EQ(slice.baselines_size(), 4);
    EXPECT_EQ(slice.baselines(2).name(), "item_knn");
  }
}

TEST_F(EvaluatorTest, UnseenItemsAreThoseOfTheBundleThatTrainingLacks) {
  const v1::SplitReport report = Evaluate(Data(), Config());
  EXPECT_EQ(report.items(), 12);
  // Trained on: i7 i3 i2 i1 i5 i4. The data lacks i6 and i8 to i11; i0 is the
  // test's alone.
  EXPECT_EQ(report.unseen_items(), 6);
}

TEST_F(EvaluatorTest, CoverageIsOfTheBundlesCatalogue) {
  const v1::SplitReport report = Evaluate(Data(), Config());
  // All twelve are ranked; the items that the data lacks have no events.
  EXPECT_EQ(report.exact().coverage().at("30"), 1);
  EXPECT_EQ(report.ann().coverage().at("30"), 1);
  EXPECT_GE(report.exact().coverage().at("5"), 5. / 12);
  // i7 has three training events, i1, i2, i3, i5 and i4 one each: the mean of
  // 0, five times 1 / 12, and six times 6 / 12.
  EXPECT_THAT(report.exact().popularity_rank().at("30"),
              DoubleEq((5. / 12 + 6. * 6 / 12) / 12));
}

TEST_F(EvaluatorTest, ExamplesAreWhatUsersDidAndGot) {
  Dataset data = Data();
  data.display = {std::vector<std::string>(data.items.size(), "a title")};
  const v1::EvaluationReport report = EvaluateAll(data, Config());
  ASSERT_EQ(report.examples_size(), 4);
  const v1::ExampleReport& first = report.examples(0);
  EXPECT_EQ(first.user(), "u0");
  ASSERT_EQ(first.history_size(), 3);
  EXPECT_EQ(first.history(0).id(), "i7");
  EXPECT_EQ(first.history(2).id(), "i1");
  EXPECT_EQ(first.history(2).display(0), "a title");
  EXPECT_EQ(first.target().id(), "i0");
  ASSERT_EQ(first.answers_size(), 10);
  EXPECT_GE(first.answers(0).score(), first.answers(9).score());
  ASSERT_GE(first.target_rank(), 1);
  if (first.target_rank() <= 10) {
    EXPECT_EQ(first.answers(first.target_rank() - 1).id(), "i0");
  }
  // u2's target is unknown to the bundle.
  EXPECT_EQ(report.examples(2).target().id(), "new");
  EXPECT_EQ(report.examples(2).target_rank(), 0);
}

TEST_F(EvaluatorTest, ExamplesAreAtMostSixAndDrawnWithTheSeed) {
  std::vector<std::vector<std::string>> histories(
      30, std::vector<std::string>{"i1", "i2", "i3"});
  const Dataset data = ToyDataset(histories);
  const auto users = [&](uint64_t seed) {
    v1::TrainerConfig config = Config();
    config.set_seed(seed);
    std::vector<std::string> drawn;
    const v1::EvaluationReport report = EvaluateAll(data, config);
    for (const v1::ExampleReport& example : report.examples()) {
      drawn.push_back(example.user());
    }
    return drawn;
  };
  EXPECT_EQ(users(1).size(), 6u);
  EXPECT_EQ(users(1), users(1));
  EXPECT_NE(users(1), users(2));
}

TEST_F(EvaluatorTest, UserSplitAsksOnceAUserForAllOfThePeriod) {
  // Two days of training, then the test: u0 goes on to i0 and i3.
  Dataset data = ToyDataset({{"i7", "i1", "i0", "i3"}, {"i2", "i7", "i4"}});
  const uint32_t day = 86400;
  data.log.times = {0, day, 10 * day, 10 * day, 0, day, 10 * day};
  v1::TrainerConfig config = Config();
  config.mutable_split()->set_kind(v1::SplitConfig::LAST_DAYS);
  config.mutable_split()->set_validation_days(0);
  EXPECT_EQ(Evaluate(data, config).queries(), 3);
  config.mutable_evaluation()->set_protocol(v1::EvaluationConfig::USER_SPLIT);
  const v1::SplitReport report = Evaluate(data, config);
  EXPECT_EQ(report.queries(), 2);
  EXPECT_EQ(report.exact().recall().at("30"), 1);
  EXPECT_EQ(report.ann().recall().at("30"), 1);
  // Thirds would be of single targets.
  const double five = report.baselines().popularity().recall().at("5");
  EXPECT_EQ(4 * five, std::round(4 * five));
}

TEST_F(EvaluatorTest, ExamplesShowTheFirstThatCanBeATarget) {
  Dataset data = ToyDataset({{"i7", "i1", "i0", "i3"}});
  const uint32_t day = 86400;
  data.log.times = {0, day, 10 * day, 10 * day};
  data.log.targets = {true, true, false, true};
  v1::TrainerConfig config = Config();
  config.mutable_split()->set_kind(v1::SplitConfig::LAST_DAYS);
  config.mutable_split()->set_validation_days(0);
  config.mutable_evaluation()->set_protocol(v1::EvaluationConfig::USER_SPLIT);
  const v1::EvaluationReport report = EvaluateAll(data, config);
  ASSERT_EQ(report.examples_size(), 1);
  EXPECT_EQ(report.examples(0).target().id(), "i3");
  EXPECT_EQ(report.examples(0).history_size(), 2);
}

TEST_F(EvaluatorTest, RequestFeatureThatTheBundleLacksIsNamed) {
  Dataset data = Data();
  FeatureTable hour;
  hour.name = "hour";
  hour.kind = v1::NUMERIC;
  hour.numbers.assign(data.log.size(), 5);
  data.log.request_features = {hour};
  const auto split = SplitEvents(data.log, data.items.size(), Config());
  ASSERT_THAT(split, IsOk());
  EXPECT_THAT(EvaluateSnapshot(*snapshot_, data, *split, Config(), 1,
                               [](absl::string_view) {}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("no feature \"hour\"")));
}

TEST_F(EvaluatorTest, TheIndexIsAskedForSoManyAsEachDepthHas) {
  const Dataset data = Data();
  const auto split = SplitEvents(data.log, data.items.size(), Config());
  ASSERT_THAT(split, IsOk());
  const auto vectors = EmbedCatalogue(*snapshot_, /*threads=*/1);
  ASSERT_THAT(vectors, IsOk());
  const auto answers = AnswerQueries(
      *snapshot_, *vectors, data, MapRows(snapshot_->items, data.items),
      MakeEvaluationSet(data.log, split->test, /*filter_seen=*/false),
      /*threads=*/1);
  ASSERT_THAT(answers, IsOk());
  ASSERT_EQ(answers->ann.size(), kReportDepths.size());
  for (size_t d = 0; d < kReportDepths.size(); ++d) {
    for (const std::vector<int32_t>& list : answers->ann[d]) {
      EXPECT_EQ(list.size(), std::min(kReportDepths[d], 12));
    }
  }
}

TEST_F(EvaluatorTest, CatalogueIsEmbeddedByTheItemTower) {
  const auto vectors = EmbedCatalogue(*snapshot_, /*threads=*/2);
  ASSERT_THAT(vectors, IsOk());
  ASSERT_EQ(vectors->size(), 12u * 4);
  std::vector<float> one(4);
  for (int32_t row = 0; row < 12; ++row) {
    ASSERT_THAT(snapshot_->item_tower->Embed(1, snapshot_->item_rows.Row(row),
                                             absl::MakeSpan(one)),
                IsOk());
    float length = 0;
    for (int d = 0; d < 4; ++d) {
      EXPECT_NEAR((*vectors)[row * 4 + d], one[d], 1e-6);
      length += one[d] * one[d];
    }
    EXPECT_NEAR(length, 1, 1e-5);
  }
}

}  // namespace
}  // namespace segue
