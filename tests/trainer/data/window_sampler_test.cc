#include "trainer/data/window_sampler.h"

#include <algorithm>
#include <cmath>
#include <map>
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
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// Users with so many events, of which the last `held_out` are not for training.
struct Toy {
  explicit Toy(const std::vector<int>& lengths, int held_out = 0) {
    std::vector<std::vector<ToyEvent>> users;
    for (int length : lengths) users.emplace_back(length);
    log = ToyLog(users);
    for (size_t u = 0; u < lengths.size(); ++u) {
      split.train_ends.push_back(log.user_begins[u] +
                                 std::max(lengths[u] - held_out, 0));
    }
  }

  absl::StatusOr<WindowSampler> Sampler(int max_windows, int min_history = 1,
                                        uint64_t seed = 1) const {
    v1::WindowConfig config;
    config.set_max_windows_per_user(max_windows);
    config.set_min_history(min_history);
    return WindowSampler::Create(log, split, config, seed);
  }

  EventLog log;
  Split split;
};

std::vector<int64_t> Targets(const WindowSampler& sampler, int64_t epoch) {
  std::vector<int64_t> targets;
  for (int64_t place = 0; place < sampler.examples(); ++place) {
    targets.push_back(sampler.Example(epoch, place).target);
  }
  return targets;
}

std::map<int32_t, std::set<int64_t>> TargetsByUser(const WindowSampler& sampler,
                                                   int64_t epoch) {
  std::map<int32_t, std::set<int64_t>> targets;
  for (int64_t place = 0; place < sampler.examples(); ++place) {
    const EvaluationQuery example = sampler.Example(epoch, place);
    targets[example.user].insert(example.target);
  }
  return targets;
}

TEST(WindowSamplerTest, UncappedEpochHoldsEveryWindowOnce) {
  // Events 0-3, 4, 5-6, of which the first of each user has no history.
  const Toy toy({4, 1, 2});
  const auto sampler = toy.Sampler(/*max_windows=*/1000);
  ASSERT_THAT(sampler, IsOk());
  EXPECT_EQ(sampler->examples(), 4);
  for (int64_t epoch = 0; epoch < 5; ++epoch) {
    EXPECT_THAT(Targets(*sampler, epoch), UnorderedElementsAre(1, 2, 3, 6));
    EXPECT_THAT(TargetsByUser(*sampler, epoch).at(2), ElementsAre(6));
  }
}

TEST(WindowSamplerTest, HeldOutEventsAreNoTargets) {
  const Toy toy({4, 3}, /*held_out=*/2);
  const auto sampler = toy.Sampler(1000);
  ASSERT_THAT(sampler, IsOk());
  EXPECT_THAT(Targets(*sampler, 0), ElementsAre(1));
}

TEST(WindowSamplerTest, MinHistoryIsBeforeEachTarget) {
  const Toy toy({5, 3, 6});
  const auto sampler = toy.Sampler(1000, /*min_history=*/3);
  ASSERT_THAT(sampler, IsOk());
  EXPECT_THAT(Targets(*sampler, 0), UnorderedElementsAre(3, 4, 11, 12, 13));
}

TEST(WindowSamplerTest, OnlyTargetsAreDrawn) {
  // Events 0-5, 6-8 and 9-12; user 1 has no target.
  Toy toy({6, 3, 4});
  toy.log.targets = {true,  false, true,  true, false, true, false,
                     false, false, false, true, true,  false};
  const auto sampler = toy.Sampler(1000);
  ASSERT_THAT(sampler, IsOk());
  EXPECT_THAT(Targets(*sampler, 0), UnorderedElementsAre(2, 3, 5, 10, 11));
  EXPECT_THAT(Targets(*toy.Sampler(1000, /*min_history=*/3), 0),
              UnorderedElementsAre(3, 5));
}

TEST(WindowSamplerTest, CappedUsersReachEveryTarget) {
  Toy toy({9, 2});
  toy.log.targets = {false, true, false, false, true, false,
                     true,  true, false, false, true};
  const auto sampler = toy.Sampler(/*max_windows=*/2);
  ASSERT_THAT(sampler, IsOk());
  std::set<int64_t> drawn;
  for (int64_t epoch = 0; epoch < 40; ++epoch) {
    const auto targets = TargetsByUser(*sampler, epoch);
    EXPECT_EQ(targets.at(0).size(), 2u);
    EXPECT_THAT(targets.at(1), ElementsAre(10));
    drawn.insert(targets.at(0).begin(), targets.at(0).end());
  }
  EXPECT_THAT(drawn, ElementsAre(1, 4, 6, 7));
}

TEST(WindowSamplerTest, NoTargetIsRefusedByTheFiltersName) {
  Toy toy({3});
  toy.log.targets = {true, false, false};
  EXPECT_THAT(toy.Sampler(1000),
              StatusIs(kInvalid, HasSubstr("events.target_filters")));
}

TEST(WindowSamplerTest, HistoryMayBeEmptyIfTheConfigSaysSo) {
  const Toy toy({1, 2});
  const auto sampler = toy.Sampler(1000, /*min_history=*/0);
  ASSERT_THAT(sampler, IsOk());
  EXPECT_THAT(Targets(*sampler, 0), UnorderedElementsAre(0, 1, 2));
}

TEST(WindowSamplerTest, CappedUsersGiveThatManyDistinctWindows) {
  const Toy toy({100, 3, 50});
  const auto sampler = toy.Sampler(/*max_windows=*/8);
  ASSERT_THAT(sampler, IsOk());
  EXPECT_EQ(sampler->examples(), 8 + 2 + 8);
  for (int64_t epoch = 0; epoch < 5; ++epoch) {
    const auto targets = TargetsByUser(*sampler, epoch);
    EXPECT_EQ(targets.at(0).size(), 8u);
    EXPECT_GE(*targets.at(0).begin(), 1);
    EXPECT_LT(*targets.at(0).rbegin(), 100);
    EXPECT_THAT(targets.at(1), ElementsAre(101, 102));
    EXPECT_EQ(targets.at(2).size(), 8u);
    EXPECT_GE(*targets.at(2).begin(), 104);
    EXPECT_LT(*targets.at(2).rbegin(), 153);
  }
}

TEST(WindowSamplerTest, CapIsDrawnAnewEachEpoch) {
  const Toy toy({100, 100});
  const auto sampler = toy.Sampler(/*max_windows=*/10);
  ASSERT_THAT(sampler, IsOk());
  const auto first = TargetsByUser(*sampler, 0);
  const auto second = TargetsByUser(*sampler, 1);
  EXPECT_NE(first.at(0), second.at(0));
  // Nor do two users draw the same places.
  std::set<int64_t> shifted;
  for (int64_t target : first.at(1)) shifted.insert(target - 100);
  EXPECT_NE(first.at(0), shifted);
}

TEST(WindowSamplerTest, EpochsReachEveryWindowOfACappedUser) {
  const Toy toy({21});
  const auto sampler = toy.Sampler(/*max_windows=*/5);
  ASSERT_THAT(sampler, IsOk());
  std::map<int64_t, int> drawn;
  for (int64_t epoch = 0; epoch < 400; ++epoch) {
    for (int64_t target : Targets(*sampler, epoch)) ++drawn[target];
  }
  ASSERT_EQ(drawn.size(), 20u);
  for (const auto& [target, times] : drawn) {
    EXPECT_GT(times, 60) << target;  // 100 expected
    EXPECT_LT(times, 140) << target;
  }
}

TEST(WindowSamplerTest, ExamplesAreAFunctionOfSeedEpochAndPlace) {
  const Toy toy({40, 7, 90});
  const auto sampler = toy.Sampler(20, 1, /*seed=*/3);
  const auto again = toy.Sampler(20, 1, /*seed=*/3);
  const auto other = toy.Sampler(20, 1, /*seed=*/4);
  ASSERT_THAT(sampler, IsOk());
  const std::vector<int64_t> targets = Targets(*sampler, 2);
  // Whatever was asked before, and in whatever order.
  for (int64_t place = again->examples() - 1; place >= 0; --place) {
    EXPECT_EQ(again->Example(2, place).target, targets[place]);
  }
  EXPECT_NE(Targets(*sampler, 1), targets);
  EXPECT_NE(Targets(*other, 2), targets);
}

TEST(WindowSamplerTest, UsersAreMixed) {
  const Toy toy({200, 200});
  const auto sampler = toy.Sampler(1000);
  ASSERT_THAT(sampler, IsOk());
  int of_first_user = 0;
  for (int64_t place = 0; place < 100; ++place) {
    of_first_user += sampler->Example(0, place).user == 0 ? 1 : 0;
  }
  EXPECT_GT(of_first_user, 25);
  EXPECT_LT(of_first_user, 75);
}

TEST(WindowSamplerTest, NoExampleIsRefusedWithWhatWouldBeNeeded) {
  const Toy toy({2, 3, 1});
  EXPECT_THAT(toy.Sampler(10, /*min_history=*/3),
              StatusIs(kInvalid, AllOf(HasSubstr("longest has 3"),
                                       HasSubstr("window.min_history 3"),
                                       HasSubstr("needs 4"))));
}

TEST(WindowSamplerTest, SizesOutOfRangeAreRefused) {
  const Toy toy({9});
  EXPECT_THAT(toy.Sampler(/*max_windows=*/0),
              StatusIs(kInvalid, HasSubstr("max_windows_per_user is 0")));
  EXPECT_THAT(toy.Sampler(10, /*min_history=*/-1),
              StatusIs(kInvalid, HasSubstr("min_history is -1")));
}

}  // namespace
}  // namespace segue
