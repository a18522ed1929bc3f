// The seed notebook's model over random data: tables, towers and batch of its
// sizes, in memory.
#ifndef SEGUE_TESTS_BENCH_SEED_MODEL_H_
#define SEGUE_TESTS_BENCH_SEED_MODEL_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "segue/v1/config.pb.h"
#include "trainer/data/dataset.h"
#include "trainer/data/split.h"
#include "trainer/data/training_steps.h"
#include "trainer/model/two_tower_model.h"

namespace segue::bench {

struct SeedSizes {
  int32_t users = 9238, items = 877168, artists = 1293394, albums = 3367691;
  int32_t events_per_user = 400;
  int32_t batch = 2048;
  // Items, artists and albums are drawn from each stride-th row of their
  // tables, so that batches of larger tables are like those of smaller ones;
  // Zipf-like, as seed_training.py draws them, or evenly, so that nearly every
  // row of a batch is another and none is in a cache.
  int32_t stride = 1;
  bool evenly = false;
};

// Data, split, model and steps, which borrow from each other: not to be moved.
class SeedModel {
 public:
  static absl::StatusOr<std::unique_ptr<SeedModel>> Create(
      const SeedSizes& sizes);
  SeedModel(const SeedModel&) = delete;
  SeedModel& operator=(const SeedModel&) = delete;

  // The next examples of the epoch, as the training loop asks for them.
  TrainingExamples Next();
  TwoTowerModel& model() { return *model_; }
  const Dataset& data() const { return data_; }

 private:
  SeedModel() = default;

  Dataset data_;
  Split split_;
  v1::TrainerConfig config_;
  std::optional<TrainingSteps> steps_;
  std::unique_ptr<TwoTowerModel> model_;
  int64_t step_ = 0;
};

}  // namespace segue::bench

#endif  // SEGUE_TESTS_BENCH_SEED_MODEL_H_
