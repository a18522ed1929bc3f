#include "server/lifecycle/warm_up.h"

#include <cmath>
#include <limits>
#include <vector>

#include "core/base/file.h"
#include "core/bundle/layout.h"
#include "core/rows/row_set.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/snapshots.h"
#include "tests/server/text_message.h"
#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using segue::testing::FakeSnapshot;
using segue::testing::FromText;
using segue::testing::IsOk;
using segue::testing::StatusIs;
using segue::testing::TinySnapshot;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kInternal = absl::StatusCode::kInternal;

TEST(WarmUpTest, ARealBundleAnswers) {
  const auto snapshot = TinySnapshot();
  ASSERT_NE(snapshot, nullptr);
  EXPECT_THAT(WarmUp(*snapshot, /*max_batch=*/1), IsOk());
  EXPECT_THAT(WarmUp(*snapshot, /*max_batch=*/16), IsOk());
}

TEST(WarmUpTest, GivesUpAtItsDeadline) {
  int passes = 0;
  const auto snapshot = FakeSnapshot({.items = 3, .on_embed = [&](auto) {
                                        ++passes;
                                        return absl::OkStatus();
                                      }});
  EXPECT_THAT(WarmUp(*snapshot, /*max_batch=*/16, Deadline::After({})),
              StatusIs(absl::StatusCode::kDeadlineExceeded, ::testing::_));
  EXPECT_EQ(passes, 0);
}

TEST(WarmUpTest, OfRemovedItemsNoneIsExpected) {
  const auto snapshot =
      TinySnapshot({.before_seal =
                        [](const std::string& folder) {
                          ASSERT_THAT(WriteFileAtomically(
                                          folder + "/" + layout::kRemovedItems,
                                          RowSet(0, 2).Serialize()),
                                      IsOk());
                        },
                    .extra_file = layout::kRemovedItems});
  ASSERT_NE(snapshot, nullptr);
  EXPECT_THAT(WarmUp(*snapshot, /*max_batch=*/4), IsOk());
}

TEST(WarmUpTest, ABundleThatTakesTimesAnswers) {
  const auto snapshot = TinySnapshot({.history_times = true});
  ASSERT_NE(snapshot, nullptr);
  EXPECT_THAT(WarmUp(*snapshot, /*max_batch=*/4), IsOk());
}

TEST(WarmUpTest, EmbedsAnonymousAndGoldenAloneAndTogether) {
  std::vector<std::vector<float>> passes;
  const auto snapshot =
      FakeSnapshot({.items = 3, .on_embed = [&](auto seeds) {
                      passes.emplace_back(seeds.begin(), seeds.end());
                      return absl::OkStatus();
                    }});
  snapshot->golden_requests =
      FromText<v1::BatchRetrieveRequest>("requests { seed_item: 'i1' }");
  ASSERT_THAT(WarmUp(*snapshot, /*max_batch=*/5), IsOk());
  // Nobody's seed is the row of unknown items, 3.
  EXPECT_THAT(passes,
              ElementsAre(ElementsAre(3), ElementsAre(1), ElementsAre(3, 1),
                          ElementsAre(3, 1, 3, 1), ElementsAre(3, 1, 3, 1, 3)));
}

TEST(WarmUpTest, CutsTheLongestHistoryShorterAndShorter) {
  std::vector<float> seeds_alone;
  const auto snapshot = FakeSnapshot({.items = 9, .on_embed = [&](auto seeds) {
                                        if (seeds.size() == 1)
                                          seeds_alone.push_back(seeds[0]);
                                        return absl::OkStatus();
                                      }});
  snapshot->golden_requests = FromText<v1::BatchRetrieveRequest>(
      "requests { history: 'i1' } requests { history: ['i2', 'i3', 'i4', 'i5', "
      "'i6'] history_times: [1, 2, 3, 4, 5] }");
  ASSERT_THAT(WarmUp(*snapshot, /*max_batch=*/1), IsOk());
  // The newest event is the seed: of the three cut to 1, 2 and 4, too.
  EXPECT_THAT(seeds_alone, ElementsAre(9, 1, 6, 6, 6, 6));
}

TEST(WarmUpTest, AnswersThatAreNotTheBundlesOwnAreRefused) {
  const auto snapshot = FakeSnapshot({.items = 3});
  snapshot->golden_requests =
      FromText<v1::BatchRetrieveRequest>("requests { top_k: 1 }");
  snapshot->golden_answers = FromText<v1::BatchRetrieveResponse>(
      "responses { item_ids: 'i0' scores: 0.5 }");
  EXPECT_THAT(WarmUp(*snapshot, 1), IsOk());
  snapshot->golden_answers.mutable_responses(0)->set_item_ids(0, "i1");
  EXPECT_THAT(WarmUp(*snapshot, 1),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("0.0000")));
}

TEST(WarmUpTest, AGoldenRequestThatDoesNotFitTheSchemaFails) {
  const auto snapshot = FakeSnapshot({});
  snapshot->golden_requests = FromText<v1::BatchRetrieveRequest>(
      "requests { user_features { name: 'mood' category: 'x' } }");
  EXPECT_THAT(WarmUp(*snapshot, 1),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("mood")));
}

TEST(WarmUpTest, ATowerThatFailsIsItsError) {
  const auto snapshot = FakeSnapshot({.on_embed = [](auto) {
    return absl::InternalError("the tower fails");
  }});
  EXPECT_THAT(WarmUp(*snapshot, 1),
              StatusIs(kInternal, HasSubstr("the tower fails")));
}

TEST(WarmUpTest, ATowerThatFailsInBatchesOnlyFails) {
  const auto snapshot = FakeSnapshot({.on_embed = [](auto seeds) {
    return seeds.size() > 1 ? absl::InternalError("two are too many")
                            : absl::OkStatus();
  }});
  EXPECT_THAT(WarmUp(*snapshot, 1), IsOk());
  EXPECT_THAT(WarmUp(*snapshot, 2), StatusIs(kInternal, HasSubstr("too many")));
}

TEST(WarmUpTest, AShortAnswerFailsWithBothLengths) {
  const auto snapshot = FakeSnapshot({.items = 3, .on_search = [](auto& found) {
                                        found.pop_back();
                                        return absl::OkStatus();
                                      }});
  EXPECT_THAT(WarmUp(*snapshot, 1),
              StatusIs(kInternal, HasSubstr("2 items instead of 3")));
}

TEST(WarmUpTest, AnAnswerIsAsLongAsExclusionsLeaveIt) {
  const auto snapshot = FakeSnapshot({.items = 3});
  snapshot->golden_requests = FromText<v1::BatchRetrieveRequest>(
      "requests { exclude_item_ids: ['i1', 'i1', 'none'] top_k: 3 } "
      "requests { exclude_item_ids: ['i0', 'i1', 'i2'] } "
      "requests { top_k: 1 }");
  EXPECT_THAT(WarmUp(*snapshot, 4), IsOk());
}

TEST(WarmUpTest, AScoreThatIsNotFiniteFails) {
  for (const float score : {std::numeric_limits<float>::quiet_NaN(),
                            std::numeric_limits<float>::infinity()}) {
    const auto snapshot = FakeSnapshot({.on_search = [score](auto& found) {
      found.back().score = score;
      return absl::OkStatus();
    }});
    EXPECT_THAT(WarmUp(*snapshot, 1),
                StatusIs(kInternal, HasSubstr("not finite")));
  }
}

}  // namespace
}  // namespace segue
