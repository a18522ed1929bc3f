#include "core/towers/torchscript_towers.h"

#include <torch/script.h>

#include <limits>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

constexpr TowerShape kShape = {
    .user_width = 2, .item_width = 3, .history_length = 4, .dimension = 3};

// What its arguments add up to, so that each of them can be told.
constexpr char kQueryTower[] = R"(
    def forward(self, user, history, mask, seed, age):
        pooled = (history * mask.unsqueeze(2)).sum(1)
        return self.w * (pooled + seed * 10 + user.sum(1, True) * 100 +
                         age.unsqueeze(1) * 1000)
)";
constexpr char kItemTower[] = R"(
    def forward(self, rows):
        return rows / self.w
)";

// A tower of that code and the weight w, as TorchScript's bytes.
std::string Tower(const std::string& code, float w = 1) {
  torch::jit::Module module("tower");
  module.register_parameter("w", torch::full({1}, w), /*is_buffer=*/false);
  module.define(code);
  std::ostringstream bytes;
  module.save(bytes);
  return bytes.str();
}

// Two queries; the second one has two events only.
struct TwoQueries {
  std::vector<float> user = {1, 0, 0, 2};
  std::vector<float> history = std::vector<float>(2 * 4 * 3, 1.0f);
  std::vector<float> mask = {1, 1, 1, 1, 0, 0, 1, 1};
  std::vector<float> seed = {0, 1, 2, 3, 4, 5};
  std::vector<float> age = {0, 3};

  QueryInputs inputs() const {
    return {.batch = 2,
            .user = user,
            .history = history,
            .mask = mask,
            .seed = seed,
            .age = age};
  }
};

TEST(QueryTowerTest, GetsEveryInputInItsPlace) {
  const auto tower = LoadQueryTower(Tower(kQueryTower), kShape);
  ASSERT_THAT(tower, IsOk());
  EXPECT_EQ((*tower)->shape().history_length, 4);
  std::vector<float> out(2 * 3);
  ASSERT_THAT((*tower)->Embed(TwoQueries().inputs(), absl::MakeSpan(out)),
              IsOk());
  EXPECT_THAT(out, ElementsAre(104, 114, 124, 3232, 3242, 3252));
}

TEST(QueryTowerTest, SizesThatDoNotFitAreNamed) {
  const auto tower = LoadQueryTower(Tower(kQueryTower), kShape);
  ASSERT_THAT(tower, IsOk());
  struct Wrong {
    const char* said;
    void (*change)(TwoQueries& queries);
  };
  const Wrong table[] = {
      {"user has 3 floats, expected 4", [](auto& q) { q.user.pop_back(); }},
      {"history has 25", [](auto& q) { q.history.push_back(0); }},
      {"mask has 7", [](auto& q) { q.mask.pop_back(); }},
      {"seed has 0", [](auto& q) { q.seed.clear(); }},
      {"age has 3", [](auto& q) { q.age.push_back(0); }},
  };
  std::vector<float> out(2 * 3);
  for (const Wrong& wrong : table) {
    TwoQueries queries;
    wrong.change(queries);
    EXPECT_THAT(
        (*tower)->Embed(queries.inputs(), absl::MakeSpan(out)),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(wrong.said)));
  }
  EXPECT_THAT(
      (*tower)->Embed(TwoQueries().inputs(), absl::MakeSpan(out).first(5)),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("out has 5 floats, expected 6")));
}

// As kQueryTower, and how long before the request the history began.
constexpr char kTimedQueryTower[] = R"(
    def forward(self, user, history, mask, seed, age, times, now):
        return self.w * seed + (now - times[:, 0]).unsqueeze(1)
)";

TEST(QueryTowerTest, GetsTimesWhereItsShapeSaysSo) {
  TowerShape shape = kShape;
  shape.history_times = true;
  const auto tower = LoadQueryTower(Tower(kTimedQueryTower), shape);
  ASSERT_THAT(tower, IsOk());
  const TwoQueries queries;
  const std::vector<int64_t> times = {1'700'000'000, 2, 3, 4, 5, 6, 7, 8};
  const std::vector<int64_t> now = {1'700'000'060, 5};
  QueryInputs inputs = queries.inputs();
  inputs.times = times;
  inputs.now = now;
  std::vector<float> out(2 * 3);
  ASSERT_THAT((*tower)->Embed(inputs, absl::MakeSpan(out)), IsOk());
  EXPECT_THAT(out, ElementsAre(60, 61, 62, 3, 4, 5));

  inputs.now = inputs.now.first(1);
  EXPECT_THAT((*tower)->Embed(inputs, absl::MakeSpan(out)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("now has 1 seconds, expected 2")));
  EXPECT_THAT((*tower)->Embed(queries.inputs(), absl::MakeSpan(out)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("times has 0 seconds, expected 8")));
}

TEST(QueryTowerTest, ManyThreadsShareOneTower) {
  const auto tower = LoadQueryTower(Tower(kQueryTower), kShape);
  ASSERT_THAT(tower, IsOk());
  const TwoQueries queries;
  std::vector<std::vector<float>> outs(8, std::vector<float>(2 * 3));
  std::vector<std::thread> threads;
  for (std::vector<float>& out : outs) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        ASSERT_THAT((*tower)->Embed(queries.inputs(), absl::MakeSpan(out)),
                    IsOk());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<float>& out : outs) EXPECT_EQ(out, outs[0]);
}

TEST(ItemTowerTest, GivesAVectorARow) {
  const auto tower = LoadItemTower(Tower(kItemTower, 2), kShape);
  ASSERT_THAT(tower, IsOk());
  std::vector<float> out(2 * 3);
  const std::vector<float> rows = {2, 4, 6, 8, 10, 12};
  ASSERT_THAT((*tower)->Embed(2, rows, absl::MakeSpan(out)), IsOk());
  EXPECT_THAT(out, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT((*tower)->Embed(3, rows, absl::MakeSpan(out)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("rows has 6 floats, expected 9")));
}

// It divides by 0 where a row holds a 1, which loading's trial run does not.
TEST(ItemTowerTest, AVectorThatIsNotFiniteIsInternal) {
  const auto tower = LoadItemTower(Tower(R"(
    def forward(self, rows):
        return self.w / (rows - 1)
)"),
                                   kShape);
  ASSERT_THAT(tower, IsOk());
  std::vector<float> out(3);
  const std::vector<float> row = {0, 1, 0};
  EXPECT_THAT((*tower)->Embed(1, row, absl::MakeSpan(out)),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("not finite")));
}

TEST(LoadTowerTest, WhatIsNoTorchScriptIsDataLoss) {
  const std::string whole = Tower(kItemTower);
  for (const std::string& bytes :
       {std::string(), std::string("PK\x03\x04"), std::string(1000, 'x'),
        whole.substr(0, whole.size() / 2)}) {
    EXPECT_THAT(LoadItemTower(bytes, kShape),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("item tower")));
  }
}

TEST(LoadTowerTest, AnotherShapeIsAPreconditionThatFailed) {
  TowerShape wide = kShape;
  wide.dimension = 4;
  EXPECT_THAT(LoadItemTower(Tower(kItemTower), wide),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("[1, 3]"), HasSubstr("[1, 4]"))));
  EXPECT_THAT(LoadQueryTower(Tower(kQueryTower), wide),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("query tower")));
  // Schema and tower must agree on whether times are taken.
  TowerShape timed = kShape;
  timed.history_times = true;
  EXPECT_THAT(LoadQueryTower(Tower(kQueryTower), timed),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("query tower")));
  EXPECT_THAT(LoadQueryTower(Tower(kTimedQueryTower), kShape),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("query tower")));
  // One argument where five are given.
  EXPECT_THAT(LoadQueryTower(Tower(kItemTower), kShape),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("query tower")));
}

TEST(LoadTowerTest, WeightsThatAreNotFiniteAreRefused) {
  EXPECT_THAT(
      LoadItemTower(Tower(kItemTower, std::numeric_limits<float>::quiet_NaN()),
                    kShape),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               HasSubstr("weights that are not finite")));
}

TEST(TorchVersionTest, HasThreeNumbers) {
  EXPECT_THAT(TorchVersion(), ::testing::MatchesRegex("[0-9]+\\.[0-9]+\\..*"));
}

}  // namespace
}  // namespace segue
