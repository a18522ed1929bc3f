#include "trainer/data/sequence_sampler.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/toy_dataset.h"

namespace segue {
namespace {

using ::segue::testing::IsOk;
using ::segue::testing::StatusIs;
using ::segue::testing::ToyEvent;
using ::segue::testing::ToyLog;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;

// Users with so many events, of which the last two are not for training.
struct Toy {
  explicit Toy(const std::vector<int>& lengths) {
    std::vector<std::vector<ToyEvent>> users;
    for (int length : lengths) users.emplace_back(length + 2);
    log = ToyLog(users);
    for (size_t u = 0; u < lengths.size(); ++u) {
      split.train_ends.push_back(log.user_begins[u] + lengths[u]);
    }
  }

  absl::StatusOr<SequenceSampler> Sampler(int longest, int targets_per_step,
                                          int min_history = 1,
                                          uint64_t seed = 1) const {
    v1::WindowConfig config;
    config.set_history_length(longest);
    config.set_min_history(min_history);
    return SequenceSampler::Create(log, split, config, targets_per_step, seed);
  }

  EventLog log;
  Split split;
};

std::vector<TrainingSequence> Epoch(SequenceSampler& sampler, int64_t epoch) {
  std::vector<TrainingSequence> all;
  for (int64_t step = 0; step < sampler.Steps(epoch); ++step) {
    for (const TrainingSequence& each : sampler.Step(epoch, step)) {
      all.push_back(each);
    }
  }
  return all;
}

std::vector<int32_t> Lengths(const std::vector<TrainingSequence>& sequences) {
  std::vector<int32_t> lengths;
  for (const TrainingSequence& each : sequences) lengths.push_back(each.length);
  return lengths;
}

// Every event but a user's first, once, whatever the lengths are.
TEST(SequenceSamplerTest, EveryEventButTheFirstIsATargetOnceAnEpoch) {
  for (int length = 2; length < 40; ++length) {
    const Toy toy({length, 3, 21});
    auto sampler = toy.Sampler(/*longest=*/5, /*targets_per_step=*/4);
    ASSERT_THAT(sampler, IsOk());
    EXPECT_EQ(sampler->targets(), length - 1 + 2 + 20);
    for (int64_t epoch = 0; epoch < 4; ++epoch) {
      std::multiset<int64_t> targets, expected;
      const auto sequences = Epoch(*sampler, epoch);
      EXPECT_THAT(Lengths(sequences), Each(AllOf(Ge(1), Le(5)))) << length;
      for (const TrainingSequence& each : sequences) {
        for (int32_t i = 1; i <= each.length; ++i) {
          targets.insert(each.begin + i);
        }
        EXPECT_GE(each.begin, toy.log.user_begins[each.user]);
        EXPECT_LT(each.begin + each.length, toy.split.train_ends[each.user]);
      }
      for (int user = 0; user < 3; ++user) {
        for (int64_t e = toy.log.user_begins[user] + 1;
             e < toy.split.train_ends[user]; ++e) {
          expected.insert(e);
        }
      }
      EXPECT_EQ(targets, expected) << length;
    }
  }
}

TEST(SequenceSamplerTest, EveryCutOfALongHistoryMovesBetweenEpochs) {
  const Toy toy({53});
  auto sampler = toy.Sampler(10, 1000);
  ASSERT_THAT(sampler, IsOk());
  std::set<int64_t> cuts;
  for (int64_t epoch = 0; epoch < 100; ++epoch) {
    const auto sequences = Epoch(*sampler, epoch);
    EXPECT_THAT(sequences.size(), AllOf(Ge(6u), Le(7u)));
    for (const TrainingSequence& each : sequences) cuts.insert(each.begin);
  }
  // 52 targets: a sequence begins at any of the 52 events before them.
  EXPECT_EQ(cuts.size(), 52u);
}

TEST(SequenceSamplerTest, AStepIsFilledByTargetsNotByEvents) {
  // Seven events each that can be predicted, every other of which is a target.
  Toy toy(std::vector<int>(50, 8));
  toy.log.targets.assign(toy.log.size(), false);
  for (int32_t user = 0; user < 50; ++user) {
    for (int i = 1; i < 8; i += 2) {
      toy.log.targets[toy.log.user_begins[user] + i] = true;
    }
  }
  auto sampler = toy.Sampler(/*longest=*/10, /*targets_per_step=*/20);
  ASSERT_THAT(sampler, IsOk());
  EXPECT_EQ(sampler->targets(), 200);
  EXPECT_EQ(sampler->Steps(0), 10);
  EXPECT_EQ(sampler->Step(0, 0).size(), 5u);
}

TEST(SequenceSamplerTest, CutsWithoutATargetAreLeftOut) {
  // The last of 41 training events is the only target.
  Toy toy({41});
  toy.log.targets.assign(toy.log.size(), false);
  toy.log.targets[40] = true;
  auto sampler = toy.Sampler(/*longest=*/5, /*targets_per_step=*/1);
  ASSERT_THAT(sampler, IsOk());
  for (int64_t epoch = 0; epoch < 10; ++epoch) {
    ASSERT_EQ(sampler->Steps(epoch), 1);
    const auto sequences = sampler->Step(epoch, 0);
    ASSERT_EQ(sequences.size(), 1u);
    EXPECT_EQ(sequences[0].begin + sequences[0].length, 40);
  }
}

TEST(SequenceSamplerTest, AStepHasAsManyTargetsAsWanted) {
  const Toy toy(std::vector<int>(50, 8));
  auto sampler = toy.Sampler(/*longest=*/10, /*targets_per_step=*/30);
  ASSERT_THAT(sampler, IsOk());
  // Seven targets a user: five sequences a step.
  EXPECT_EQ(sampler->Steps(0), 10);
  for (int64_t step = 0; step < 10; ++step) {
    EXPECT_EQ(sampler->Step(0, step).size(), 5u);
  }
}

TEST(SequenceSamplerTest, AnEpochIsAFunctionOfSeedAndNumber) {
  const Toy toy({30, 4, 17, 55, 9, 9, 9});
  auto sampler = toy.Sampler(6, 12), same = toy.Sampler(6, 12),
       other = toy.Sampler(6, 12, 1, /*seed=*/2);
  ASSERT_THAT(sampler, IsOk());
  const auto begins = [](SequenceSampler& from, int64_t epoch) {
    std::vector<int64_t> values;
    for (const TrainingSequence& each : Epoch(from, epoch)) {
      values.push_back(each.begin);
    }
    return values;
  };
  const auto first = begins(*sampler, 3);
  begins(*sampler, 4);
  EXPECT_EQ(begins(*sampler, 3), first);
  EXPECT_EQ(begins(*same, 3), first);
  EXPECT_NE(begins(*sampler, 4), first);
  EXPECT_NE(begins(*other, 3), first);
}

TEST(SequenceSamplerTest, ShortHistoriesGiveNothing) {
  const Toy toy({0, 1, 3, 4});
  auto sampler = toy.Sampler(5, 100, /*min_history=*/3);
  ASSERT_THAT(sampler, IsOk());
  EXPECT_EQ(sampler->targets(), 3);
  EXPECT_THAT(
      toy.Sampler(5, 100, /*min_history=*/4),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("4 training events"), HasSubstr("needs 5"))));
}

TEST(SequenceSamplerTest, UsersWithoutATargetGiveNothing) {
  // Training events 0-2, 5-6 and 9-10. A user's first event and what is held
  // out are no targets in any case.
  Toy toy({3, 2, 2});
  toy.log.targets.assign(toy.log.size(), false);
  for (const int64_t event : {1, 2, 5, 11}) toy.log.targets[event] = true;
  auto sampler = toy.Sampler(5, 100);
  ASSERT_THAT(sampler, IsOk());
  EXPECT_EQ(sampler->targets(), 2);
  const auto sequences = Epoch(*sampler, 0);
  ASSERT_EQ(sequences.size(), 1u);
  EXPECT_EQ(sequences[0].user, 0);
  EXPECT_EQ(sequences[0].length, 2);
}

}  // namespace
}  // namespace segue
