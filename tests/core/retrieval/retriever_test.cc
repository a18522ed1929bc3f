#include "core/retrieval/retriever.h"

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"
#include "tests/testing/tiny_bundle.h"

namespace segue {
namespace {

using segue::testing::IsOk;
using segue::testing::PublishTinyBundle;
using segue::testing::StatusIs;
using segue::testing::TempFolder;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kItems = 12;

v1::RetrieveRequest Request(const std::string& text) {
  v1::RetrieveRequest request;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &request));
  return request;
}

// One snapshot of 12 items for all tests: it is immutable.
class RetrieverTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TempFolder>();
    auto version = PublishTinyBundle(folder_->path(), {.items = kItems});
    ASSERT_THAT(version, IsOk());
    auto bundle = OpenBundle(*folder_ / *version, VerifyScope::kAll);
    ASSERT_THAT(bundle, IsOk());
    auto snapshot = LoadServingSnapshot(*bundle);
    ASSERT_THAT(snapshot, IsOk());
    snapshot_ = *std::move(snapshot);
  }
  static void TearDownTestSuite() {
    snapshot_.reset();
    folder_.reset();
  }

  static v1::RetrieveResponse Answer(const v1::RetrieveRequest& request) {
    v1::RetrieveResponse response;
    auto query = ResolveQuery(*snapshot_, request);
    EXPECT_THAT(query, IsOk());
    if (!query.ok()) return response;
    std::vector<float> vector;
    EXPECT_THAT(EmbedQueries(*snapshot_, {&*query}, vector), IsOk());
    EXPECT_THAT(SearchAndFill(*snapshot_, vector, *query, response), IsOk());
    return response;
  }
  static v1::RetrieveResponse Answer(const std::string& text) {
    return Answer(Request(text));
  }

  static std::unique_ptr<TempFolder> folder_;
  static std::shared_ptr<const ServingSnapshot> snapshot_;
};
std::unique_ptr<TempFolder> RetrieverTest::folder_;
std::shared_ptr<const ServingSnapshot> RetrieverTest::snapshot_;

TEST_F(RetrieverTest, AnswersKDistinctItemsBestFirst) {
  const auto answer = Answer("user_id: 'u1' history: ['i3', 'i4'] top_k: 5");
  ASSERT_EQ(answer.item_ids_size(), 5);
  ASSERT_EQ(answer.scores_size(), 5);
  EXPECT_EQ(
      std::set<std::string>(answer.item_ids().begin(), answer.item_ids().end())
          .size(),
      5u);
  for (int i = 1; i < 5; ++i) EXPECT_GE(answer.scores(i - 1), answer.scores(i));
  EXPECT_LE(answer.scores(0), 1.0001f);
  EXPECT_EQ(answer.bundle_version(), snapshot_->version);
}

TEST_F(RetrieverTest, ScoresAreCosinesOfQueryAndItemVectors) {
  const auto request = Request("history: 'i3' top_k: 12");
  const auto answer = Answer(request);
  auto query = ResolveQuery(*snapshot_, request);
  ASSERT_THAT(query, IsOk());
  std::vector<float> q, v(4);
  ASSERT_THAT(EmbedQueries(*snapshot_, {&*query}, q), IsOk());
  for (int i = 0; i < answer.item_ids_size(); ++i) {
    const int row = *snapshot_->items.Find(answer.item_ids(i));
    ASSERT_THAT(snapshot_->item_tower->Embed(1, snapshot_->item_rows.Row(row),
                                             absl::MakeSpan(v)),
                IsOk());
    float dot = 0;
    for (int d = 0; d < 4; ++d) dot += q[d] * v[d];
    EXPECT_THAT(answer.scores(i), FloatNear(dot, 1e-5));
  }
}

TEST_F(RetrieverTest, TopKIs100UnlessSentAndStopsAtTheCatalogue) {
  EXPECT_EQ(ResolveQuery(*snapshot_, {})->top_k, 100);
  EXPECT_EQ(Answer("").item_ids_size(), kItems);
  EXPECT_EQ(Answer("top_k: 1").item_ids_size(), 1);
}

TEST_F(RetrieverTest, NobodyAndUnknownUserGetTheSameAnswer) {
  const auto nobody = Answer("top_k: 12");
  const auto unknown = Answer("user_id: 'stranger' top_k: 12");
  EXPECT_EQ(nobody.SerializeAsString(), unknown.SerializeAsString());
  EXPECT_EQ(nobody.item_ids_size(), kItems);
}

TEST_F(RetrieverTest, KnownUsersDiffer) {
  EXPECT_NE(Answer("user_id: 'u0'").SerializeAsString(),
            Answer("user_id: 'u1'").SerializeAsString());
}

TEST_F(RetrieverTest, UnknownHistoryIsSkippedAndCounted) {
  const auto clean = Answer("history: ['i1', 'i2']");
  auto noisy = Answer("history: ['x', 'i1', '', 'i2', 'y'] seed_item: 'z'");
  EXPECT_EQ(clean.unknown_history(), 0);
  EXPECT_EQ(noisy.unknown_history(), 4);
  noisy.set_unknown_history(0);
  EXPECT_EQ(clean.SerializeAsString(), noisy.SerializeAsString());
}

TEST_F(RetrieverTest, WindowHoldsTheNewestRowsAndSeedIsTheLast) {
  const auto query = ResolveQuery(
      *snapshot_, Request("history: ['i0', 'i1', 'i2', 'i3', 'i4']"));
  ASSERT_THAT(query, IsOk());
  EXPECT_THAT(query->window, ElementsAre(2, 3, 4));
  EXPECT_THAT(query->mask, ElementsAre(1, 1, 1));
  EXPECT_EQ(query->seed, 4);
}

TEST_F(RetrieverTest, SeedItemOverridesTheNewest) {
  const auto query = ResolveQuery(
      *snapshot_, Request("history: ['i0', 'i1'] seed_item: 'i7'"));
  ASSERT_THAT(query, IsOk());
  EXPECT_EQ(query->seed, 7);
  EXPECT_EQ(query->mask.front(), 0);
}

TEST_F(RetrieverTest, ExclusionsNeverAppearAndTheRestStillFillsK) {
  const auto answer = Answer(
      "history: ['i0', 'i1', 'i2', 'i3', 'i4'] seed_item: 'i5' "
      "exclude_history: true exclude_item_ids: ['i6', 'i6', 'none'] top_k: 5");
  const std::vector<std::string> ids(answer.item_ids().begin(),
                                     answer.item_ids().end());
  EXPECT_THAT(ids,
              ::testing::UnorderedElementsAre("i7", "i8", "i9", "i10", "i11"));
}

TEST_F(RetrieverTest, EverythingExcludedIsAnEmptyAnswer) {
  v1::RetrieveRequest request;
  for (int i = 0; i < kItems; ++i) {
    request.add_exclude_item_ids(absl::StrCat("i", i));
  }
  EXPECT_EQ(Answer(request).item_ids_size(), 0);
}

TEST_F(RetrieverTest, OnlyWhatPassesTheFilterIsAnswered) {
  const auto answer = Answer(
      "history: ['i0', 'i3'] exclude_history: true top_k: 12 "
      "filter { all_of { "
      "  filters { one_of { attribute: 'parity' values: 'odd' } } "
      "  filters { range { attribute: 'year' at_most: 2007 } } } }");
  const std::vector<std::string> ids(answer.item_ids().begin(),
                                     answer.item_ids().end());
  EXPECT_THAT(ids, ::testing::UnorderedElementsAre("i1", "i5", "i7"));
  EXPECT_EQ(answer.allowed_items(), 3);
  EXPECT_EQ(answer.found_by(), v1::EXACT);
}

TEST_F(RetrieverTest, WithoutAFilterTheIndexAnswers) {
  const auto answer = Answer("exclude_item_ids: ['i1', 'i2']");
  EXPECT_EQ(answer.allowed_items(), kItems - 2);
  EXPECT_EQ(answer.found_by(), v1::INDEX);
}

TEST_F(RetrieverTest, AFilterThatNothingPassesIsAnEmptyAnswer) {
  const auto answer =
      Answer("filter { range { attribute: 'year' at_least: 3000 } }");
  EXPECT_EQ(answer.item_ids_size(), 0);
  EXPECT_EQ(answer.allowed_items(), 0);
}

TEST_F(RetrieverTest, AFilterOnAnUnknownAttributeIsRefused) {
  EXPECT_THAT(
      ResolveQuery(*snapshot_, Request("filter { one_of { attribute: 'mood' "
                                       "values: 'calm' } }")),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("no attribute \"mood\"; it has parity, year")));
}

TEST_F(RetrieverTest, HistoryStaysAnAnswerUnlessExcluded) {
  const auto answer = Answer("history: 'i2' top_k: 12");
  EXPECT_THAT(answer.item_ids(), Contains("i2"));
}

TEST_F(RetrieverTest, FeaturesReplaceTheirSegmentOfTheUserRow) {
  const auto query = ResolveQuery(
      *snapshot_, Request("user_id: 'u1'"
                          "user_features { name: 'plan' category: 'paid' }"
                          "user_features { name: 'age' number: 50 }"
                          "request_features { name: 'device' category: 'x' }"));
  ASSERT_THAT(query, IsOk());
  const auto stored = snapshot_->user_rows.Row(1);
  EXPECT_THAT(query->user,
              ElementsAre(stored[0], stored[1], 2, -1, 2, /*unknown*/ 0, 0));
}

TEST_F(RetrieverTest, QueriesEmbeddedTogetherEqualThoseEmbeddedAlone) {
  const auto a = ResolveQuery(*snapshot_, Request("history: 'i1'"));
  const auto b = ResolveQuery(*snapshot_, Request("user_id: 'u2'"));
  std::vector<float> together, alone;
  ASSERT_THAT(EmbedQueries(*snapshot_, {&*a, &*b}, together), IsOk());
  ASSERT_THAT(EmbedQueries(*snapshot_, {&*b}, alone), IsOk());
  ASSERT_EQ(together.size(), 8u);
  for (int d = 0; d < 4; ++d) EXPECT_NEAR(together[4 + d], alone[d], 1e-5);
}

TEST_F(RetrieverTest, SimilarItemsAreNeverTheItemItself) {
  v1::SimilarItemsRequest request;
  request.set_item_id("i4");
  request.set_top_k(20);
  request.add_exclude_item_ids("i5");
  const auto answer = FindSimilarItems(*snapshot_, request);
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->item_ids_size(), kItems - 2);
  EXPECT_THAT(answer->item_ids(), Each(AllOf(Not("i4"), Not("i5"))));
}

TEST_F(RetrieverTest, SimilarItemsPassTheFilterToo) {
  v1::SimilarItemsRequest request;
  request.set_item_id("i4");
  request.mutable_filter()->mutable_items()->add_item_ids("i4");
  request.mutable_filter()->mutable_items()->add_item_ids("i9");
  const auto answer = FindSimilarItems(*snapshot_, request);
  ASSERT_THAT(answer, IsOk());
  EXPECT_THAT(answer->item_ids(), ElementsAre("i9"));
  EXPECT_EQ(answer->allowed_items(), 1);
}

TEST_F(RetrieverTest, SimilarItemsOfAnUnknownItemIsNotFound) {
  v1::SimilarItemsRequest request;
  request.set_item_id("nothing");
  EXPECT_THAT(FindSimilarItems(*snapshot_, request),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("nothing")));
}

TEST_F(RetrieverTest, DescribesKnownAndUnknownItemsInOrder) {
  v1::DescribeItemsRequest request;
  request.add_item_ids("none");
  request.add_item_ids("i4");
  const auto answer = DescribeItems(*snapshot_, request);
  ASSERT_EQ(answer.items_size(), 2);
  EXPECT_FALSE(answer.items(0).known());
  EXPECT_EQ(answer.items(0).item_id(), "none");
  EXPECT_TRUE(answer.items(1).known());
  EXPECT_EQ(answer.items(1).columns().at("title"), "Title 4");
  EXPECT_EQ(answer.items(1).columns().at("artist"), "Artist 1");
}

// A snapshot whose towers take times.
class TimedRetrieverTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const TempFolder folder;
    auto version = PublishTinyBundle(folder.path(), {.history_times = true});
    ASSERT_THAT(version, IsOk());
    auto bundle = OpenBundle(folder / *version, VerifyScope::kAll);
    ASSERT_THAT(bundle, IsOk());
    auto snapshot = LoadServingSnapshot(*bundle);
    ASSERT_THAT(snapshot, IsOk());
    snapshot_ = *std::move(snapshot);
  }
  static void TearDownTestSuite() { snapshot_.reset(); }

  static ResolvedQuery Resolve(const std::string& text) {
    auto query = ResolveQuery(*snapshot_, Request(text));
    EXPECT_THAT(query, IsOk());
    return query.value_or(ResolvedQuery());
  }
  static std::vector<float> Vector(const std::string& text) {
    const ResolvedQuery query = Resolve(text);
    std::vector<float> vector;
    EXPECT_THAT(EmbedQueries(*snapshot_, {&query}, vector), IsOk());
    return vector;
  }

  static std::shared_ptr<const ServingSnapshot> snapshot_;
};
std::shared_ptr<const ServingSnapshot> TimedRetrieverTest::snapshot_;

TEST_F(TimedRetrieverTest, TimesFollowTheirEventsIntoTheWindow) {
  const ResolvedQuery query = Resolve(
      "history: ['i0', 'i1', 'i2', 'i3'] history_times: [10, 20, 30, 40] "
      "request_time: 50");
  EXPECT_THAT(query.window, ElementsAre(1, 2, 3));
  EXPECT_THAT(query.times, ElementsAre(20, 30, 40));
  EXPECT_EQ(query.now, 50);
}

TEST_F(TimedRetrieverTest, UnknownItemsAreSkippedWithTheirTimes) {
  const ResolvedQuery query = Resolve(
      "history: ['x', 'i1', 'y', 'i2', 'z'] "
      "history_times: [10, 20, 30, 40, 50] request_time: 60");
  EXPECT_THAT(query.window, ElementsAre(-1, 1, 2));
  EXPECT_THAT(query.times, ElementsAre(60, 20, 40));
  EXPECT_EQ(query.unknown_history, 3);
}

TEST_F(TimedRetrieverTest, TheSeedItemTakesTheTimeOfTheNewestEvent) {
  const std::string history =
      "history: ['i1', 'i2'] history_times: [20, 30] request_time: 4000 ";
  const ResolvedQuery query = Resolve(history + "seed_item: 'i7'");
  EXPECT_EQ(query.seed, 7);
  EXPECT_THAT(query.times, ElementsAre(4000, 20, 30));
  // So naming the newest event changes nothing.
  EXPECT_EQ(Vector(history + "seed_item: 'i2'"), Vector(history));
}

TEST_F(TimedRetrieverTest, TimesThatAreNotKnownAreThatOfTheRequest) {
  const ResolvedQuery query = Resolve("history: ['i1', 'i2'] request_time: 9");
  EXPECT_THAT(query.times, ElementsAre(9, 9, 9));
  EXPECT_EQ(query.now, 9);
  // Nor is there a clock to be seen where nothing is known.
  EXPECT_EQ(Resolve("history: ['i1', 'i2']").now, 0);
  EXPECT_EQ(Vector("history: ['i1', 'i2']"),
            Vector("history: ['i1', 'i2'] request_time: 9"));
}

TEST_F(TimedRetrieverTest, WithoutATimeOfItsOwnARequestIsMadeNow) {
  const int64_t before = absl::ToUnixSeconds(absl::Now());
  const ResolvedQuery query =
      Resolve("history: 'i1' history_times: 1600000000");
  EXPECT_GE(query.now, before);
  EXPECT_LE(query.now, absl::ToUnixSeconds(absl::Now()));
  EXPECT_EQ(query.times.back(), 1600000000);
}

TEST_F(TimedRetrieverTest, VectorsDependOnHowLongAgoEventsWere) {
  const std::string history =
      "history: ['i1', 'i2'] history_times: [100, 160] request_time: ";
  const std::vector<float> soon = Vector(history + "170");
  EXPECT_NE(soon, Vector(history + "100000"));
  EXPECT_EQ(soon, Vector("history: ['i1', 'i2'] history_times: [1100, 1160] "
                         "request_time: 1170"));
}

TEST_F(TimedRetrieverTest, TimesThatAreNotParallelAreRefused) {
  EXPECT_THAT(ResolveQuery(*snapshot_,
                           Request("history: ['i1', 'i2'] history_times: 5")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("history_times: 1 elements; history has 2")));
}

TEST_F(RetrieverTest, ABundleWithoutTimesIgnoresThem) {
  const auto timed = ResolveQuery(
      *snapshot_,
      Request("history: 'i1' history_times: 5 request_time: 100000"));
  ASSERT_THAT(timed, IsOk());
  EXPECT_THAT(timed->times, ::testing::IsEmpty());
  EXPECT_EQ(Answer("history: 'i1' history_times: 5 request_time: 100000")
                .SerializeAsString(),
            Answer("history: 'i1'").SerializeAsString());
}

struct BadFeature {
  const char* request;
  const char* said;
};

class RetrieverRefusesTest : public RetrieverTest,
                             public ::testing::WithParamInterface<BadFeature> {
};

TEST_P(RetrieverRefusesTest, WithFieldAndFeature) {
  EXPECT_THAT(
      ResolveQuery(*snapshot_, Request(GetParam().request)),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(GetParam().said)));
}

INSTANTIATE_TEST_SUITE_P(
    Table, RetrieverRefusesTest,
    ::testing::Values(
        BadFeature{"user_features { name: 'mood' category: 'x' }",
                   "user_features: the bundle has no feature \"mood\"; it has "
                   "plan, age"},
        BadFeature{"user_features { name: 'device' category: 'tv' }",
                   "no feature \"device\""},
        BadFeature{"request_features { name: 'plan' category: 'paid' }",
                   "request_features: the bundle has no feature \"plan\""},
        BadFeature{"user_features { name: 'plan' number: 1 }",
                   "\"plan\" takes a category"},
        BadFeature{"user_features { name: 'age' category: '1' }",
                   "\"age\" takes a number"},
        BadFeature{"user_features { name: 'age' }", "\"age\" takes a number"},
        BadFeature{"user_features { name: 'age' number: nan }",
                   "not a finite number"},
        BadFeature{"user_features { name: 'age' number: 1 }"
                   "user_features { name: 'age' number: 1 }",
                   "\"age\" twice"}));

}  // namespace
}  // namespace segue
