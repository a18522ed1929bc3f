// The tiny log, split and ready to train on, and what a model says of it.
#ifndef SEGUE_TESTS_TRAINER_MODEL_TINY_RUN_H_
#define SEGUE_TESTS_TRAINER_MODEL_TINY_RUN_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/model/tiny_dataset.h"
#include "trainer/data/split.h"
#include "trainer/data/window_sampler.h"
#include "trainer/model/two_tower_model.h"

namespace segue::testing {

inline std::vector<float> ItemRow(const TwoTowerModel& model, int64_t row) {
  std::vector<float> values(model.shape().item_width);
  model.ReadItemRow(row, absl::MakeSpan(values));
  return values;
}

inline std::vector<float> UserRow(const TwoTowerModel& model, int64_t row) {
  std::vector<float> values(model.shape().user_width);
  model.ReadUserRow(row, absl::MakeSpan(values));
  return values;
}

inline std::vector<float> ItemVectors(TwoTowerModel& model) {
  std::vector<float> vectors(kTinyItems * model.shape().dimension);
  EXPECT_THAT(model.EmbedItems(absl::MakeSpan(vectors)), IsOk());
  return vectors;
}

inline std::vector<float> QueryVectors(
    TwoTowerModel& model, const std::vector<EvaluationQuery>& queries) {
  std::vector<float> vectors(queries.size() * model.shape().dimension);
  EXPECT_THAT(model.EmbedQueries(queries, absl::MakeSpan(vectors)), IsOk());
  return vectors;
}

// The data with its split, ready to train on; models borrow it.
struct TinyRun {
  explicit TinyRun(const v1::TrainerConfig& configuration = TinyConfig())
      : config(configuration),
        data(TinyDataset()),
        split(SplitEvents(data.log, data.items.size(), config).value()),
        sampler(WindowSampler::Create(data.log, split, config.window(),
                                      config.seed())
                    .value()) {}
  TinyRun(const TinyRun&) = delete;
  TinyRun& operator=(const TinyRun&) = delete;

  std::unique_ptr<TwoTowerModel> NewModel() const {
    return TwoTowerModel::Create(data, split, config).value();
  }

  // The examples of one step: the `batch`-th sixteen of an epoch.
  std::vector<EvaluationQuery> Batch(int64_t epoch, int64_t batch) const {
    std::vector<EvaluationQuery> examples;
    for (int64_t place = 16 * batch; place < 16 * (batch + 1); ++place) {
      examples.push_back(sampler.Example(epoch, place));
    }
    return examples;
  }

  // All that a model serves: rows and vectors of items, rows of users, vectors
  // of queries.
  std::vector<float> Served(TwoTowerModel& model) const {
    std::vector<float> all;
    const auto append = [&all](const std::vector<float>& part) {
      all.insert(all.end(), part.begin(), part.end());
    };
    for (int64_t row = 0; row < data.items.rows(); ++row) {
      append(ItemRow(model, row));
    }
    for (int64_t row = 0; row < data.users.rows(); ++row) {
      append(UserRow(model, row));
    }
    append(ItemVectors(model));
    append(QueryVectors(model, split.validation));
    return all;
  }

  v1::TrainerConfig config;
  Dataset data;
  Split split;
  WindowSampler sampler;
};

}  // namespace segue::testing

#endif  // SEGUE_TESTS_TRAINER_MODEL_TINY_RUN_H_
