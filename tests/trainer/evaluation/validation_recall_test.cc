#include "trainer/evaluation/validation_recall.h"

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/toy_dataset.h"

namespace segue {
namespace {

using ::segue::testing::IsOk;
using ::segue::testing::ToyDataset;
using ::testing::DoubleEq;

// An untrained model: what is looked at is who is asked and what counts.
class ValidationRecallTest : public ::testing::Test {
 protected:
  ValidationRecallTest()
      : data_(ToyDataset({{"a", "b", "c", "d"},
                          {"b", "c", "a", "e"},
                          {"a", "f", "a", "c"}})) {
    config_.mutable_split()->set_kind(v1::SplitConfig::LEAVE_ONE_OUT);
    config_.mutable_model()->add_layers(8);
    config_.mutable_model()->add_layers(4);
  }

  double Recall(int32_t k, bool filter_seen, bool of_test = false) {
    auto split = SplitEvents(data_.log, data_.items.size(), config_);
    EXPECT_THAT(split, IsOk());
    auto model = TwoTowerModel::Create(data_, *split, config_);
    EXPECT_THAT(model, IsOk());
    const auto recall = ValidationRecall(
        **model, data_, of_test ? split->test : split->validation, k,
        filter_seen, /*threads=*/2);
    EXPECT_THAT(recall, IsOk());
    return recall.value_or(-1);
  }

  const Dataset data_;
  v1::TrainerConfig config_;
};

TEST_F(ValidationRecallTest, EveryTargetIsAmongAllItems) {
  EXPECT_THAT(Recall(/*k=*/6, /*filter_seen=*/false), DoubleEq(1));
  EXPECT_THAT(Recall(/*k=*/1000, /*filter_seen=*/false), DoubleEq(1));
}

TEST_F(ValidationRecallTest, GrowsWithK) {
  double previous = 0;
  for (int32_t k = 1; k <= 6; ++k) {
    const double recall = Recall(k, /*filter_seen=*/false);
    EXPECT_GE(recall, previous);
    // Three queries, so thirds.
    EXPECT_NEAR(recall * 3, std::round(recall * 3), 1e-9);
    previous = recall;
  }
  // A model that is not trained does not know better than k of six.
  EXPECT_LT(Recall(/*k=*/1, /*filter_seen=*/false), 1);
}

TEST_F(ValidationRecallTest, FilteredTargetIsNotFound) {
  // u2's validation event is "a", which it has heard before.
  EXPECT_THAT(Recall(/*k=*/6, /*filter_seen=*/true), DoubleEq(2. / 3));
}

TEST_F(ValidationRecallTest, FilterMakesRoomForTheRest) {
  // u2's history before the test is a and f: four items are left for each.
  EXPECT_THAT(Recall(/*k=*/4, /*filter_seen=*/true, /*of_test=*/true),
              DoubleEq(1));
}

}  // namespace
}  // namespace segue
