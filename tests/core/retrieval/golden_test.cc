#include "core/retrieval/golden.h"

#include <limits>
#include <memory>
#include <string>

#include "core/bundle/bundle_reader.h"
#include "core/bundle/layout.h"
#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"
#include "tests/testing/tiny_bundle.h"

namespace segue {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;
using testing::TempFolder;

class GoldenTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto version = testing::PublishTinyBundle(folder_.path(), {});
    ASSERT_THAT(version, IsOk());
    const auto bundle = OpenBundle(folder_ / *version, VerifyScope::kServed);
    ASSERT_THAT(bundle, IsOk());
    auto snapshot = LoadServingSnapshot(*bundle);
    ASSERT_THAT(snapshot, IsOk());
    // Nobody else has it yet.
    snapshot_ = std::const_pointer_cast<ServingSnapshot>(*snapshot);
  }
  v1::RetrieveResponse& Answer() {
    return *snapshot_->golden_answers.mutable_responses(0);
  }

  TempFolder folder_;
  std::shared_ptr<ServingSnapshot> snapshot_;
};

TEST_F(GoldenTest, ABundleWithoutAnswersIsTaken) {
  EXPECT_THAT(CheckGolden(*snapshot_), IsOk());
  snapshot_->golden_answers.Clear();
  EXPECT_THAT(CheckGolden(*snapshot_), IsOk());
}

TEST_F(GoldenTest, AnswersHaveAsManyItemsAsTheRequestAsksFor) {
  const auto answers = AnswerGolden(*snapshot_);
  ASSERT_THAT(answers, IsOk());
  ASSERT_EQ(answers->responses_size(), 1);
  EXPECT_EQ(answers->responses(0).item_ids_size(), 5);
  EXPECT_EQ(answers->responses(0).scores_size(), 5);
}

TEST_F(GoldenTest, AnsweringGivesUpAtItsDeadline) {
  snapshot_->golden_answers = AnswerGolden(*snapshot_).value();
  EXPECT_THAT(CheckGolden(*snapshot_, Deadline::After({})),
              StatusIs(absl::StatusCode::kDeadlineExceeded, ::testing::_));
}

TEST_F(GoldenTest, ItsOwnAnswersAreFoundAgain) {
  snapshot_->golden_answers = AnswerGolden(*snapshot_).value();
  EXPECT_THAT(CheckGolden(*snapshot_), IsOk());
  Answer().set_scores(0, Answer().scores(0) + 0.0009f);
  EXPECT_THAT(CheckGolden(*snapshot_), IsOk());
}

TEST_F(GoldenTest, AScoreThatIsOffIsRefusedWithTheDifference) {
  snapshot_->golden_answers = AnswerGolden(*snapshot_).value();
  Answer().set_scores(3, Answer().scores(3) - 0.002f);
  EXPECT_THAT(CheckGolden(*snapshot_), StatusIs(absl::StatusCode::kOutOfRange,
                                                HasSubstr("up to 0.002")));
}

TEST_F(GoldenTest, AScoreThatIsNoNumberIsRefused) {
  snapshot_->golden_answers = AnswerGolden(*snapshot_).value();
  Answer().set_scores(0, std::numeric_limits<float>::quiet_NaN());
  EXPECT_THAT(CheckGolden(*snapshot_),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("inf")));
}

TEST_F(GoldenTest, AnItemThatIsNotFoundIsRefusedWithTheOverlap) {
  snapshot_->golden_answers = AnswerGolden(*snapshot_).value();
  Answer().set_item_ids(4, "stranger");
  EXPECT_THAT(CheckGolden(*snapshot_), StatusIs(absl::StatusCode::kOutOfRange,
                                                HasSubstr("overlap 0.8000")));
}

TEST_F(GoldenTest, TheOrderOfEqualsDoesNotMatter) {
  snapshot_->golden_answers = AnswerGolden(*snapshot_).value();
  Answer().mutable_item_ids()->SwapElements(0, 1);
  Answer().mutable_scores()->SwapElements(0, 1);
  EXPECT_THAT(CheckGolden(*snapshot_), IsOk());
}

}  // namespace
}  // namespace segue
