#include "tests/bench/seed_model.h"

#include <cmath>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "trainer/base/random.h"

namespace segue::bench {
namespace {

constexpr int32_t kSecondsBetweenEvents = 60000;

// A row of a table of `count`. Zipf-like: exponent 1.3, by inversion of the
// continuous law, past the end of the table modulo its size.
int32_t DrawRow(Random& random, int32_t count, const SeedSizes& sizes) {
  const int32_t rows = count / sizes.stride;
  if (sizes.evenly) {
    return static_cast<int32_t>(random.Below(rows)) * sizes.stride;
  }
  const double x = std::pow(1 - random.Uniform(), -1 / 0.3);
  return static_cast<int32_t>(std::fmod(x - 1, rows)) * sizes.stride;
}

FeatureTable Categories(const char* name, int32_t values,
                        const SeedSizes& sizes, Random& random) {
  FeatureTable table{.name = name, .kind = v1::MULTI_CATEGORICAL};
  for (int32_t v = 0; v < values; ++v) table.values.Add(absl::StrCat(v));
  table.begins.push_back(0);
  for (int32_t item = 0; item < sizes.items; ++item) {
    table.value_rows.push_back(DrawRow(random, values, sizes));
    table.begins.push_back(static_cast<int64_t>(table.value_rows.size()));
  }
  return table;
}

Dataset MakeData(const SeedSizes& sizes) {
  Dataset data;
  Random random(1);
  for (int32_t u = 0; u < sizes.users; ++u) data.users.Add(absl::StrCat(u));
  for (int32_t i = 0; i < sizes.items; ++i) data.items.Add(absl::StrCat(i));
  data.log.user_begins.push_back(0);
  for (int32_t u = 0; u < sizes.users; ++u) {
    for (int32_t e = 0; e < sizes.events_per_user; ++e) {
      data.log.items.push_back(DrawRow(random, sizes.items, sizes));
      data.log.times.push_back(e * kSecondsBetweenEvents);
      data.log.weights.push_back(static_cast<float>(random.Uniform()));
    }
    data.log.user_begins.push_back(data.log.size());
  }
  data.item_features.push_back(
      Categories("artist_id", sizes.artists, sizes, random));
  data.item_features.push_back(
      Categories("album_id", sizes.albums, sizes, random));
  FeatureTable length{.name = "track_length_seconds", .kind = v1::NUMERIC};
  for (int32_t i = 0; i < sizes.items; ++i) {
    length.numbers.push_back(180 + 60 * random.Normal());
  }
  data.item_features.push_back(std::move(length));
  return data;
}

// All of it is for training.
Split MakeSplit(const Dataset& data) {
  Split split;
  split.train_ends.assign(data.log.user_begins.begin() + 1,
                          data.log.user_begins.end());
  split.training_events = data.log.size();
  split.item_in_training.assign(data.items.size(), true);
  split.latest_training_time = data.log.times.back();
  return split;
}

v1::TrainerConfig MakeConfig(const Dataset& data, const SeedSizes& sizes) {
  v1::TrainerConfig config;
  config.mutable_training()->set_batch_size(sizes.batch);
  for (const FeatureTable& table : data.item_features) {
    config.mutable_items()->add_features()->set_name(table.name);
  }
  // The seed's, also where the tables are larger.
  config.mutable_items()->set_embedding_width(20);
  config.mutable_items()->mutable_features(0)->set_embedding_width(21);
  config.mutable_items()->mutable_features(1)->set_embedding_width(22);
  return config;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SeedModel>> SeedModel::Create(
    const SeedSizes& sizes) {
  auto seed = absl::WrapUnique(new SeedModel);
  seed->data_ = MakeData(sizes);
  seed->split_ = MakeSplit(seed->data_);
  seed->config_ = MakeConfig(seed->data_, sizes);
  ASSIGN_OR_RETURN(
      seed->steps_,
      TrainingSteps::Create(seed->data_.log, seed->split_, seed->config_));
  ASSIGN_OR_RETURN(seed->model_, TwoTowerModel::Create(
                                     seed->data_, seed->split_, seed->config_));
  return seed;
}

TrainingExamples SeedModel::Next() {
  return steps_->Examples(/*epoch=*/0, step_++ % steps_->Steps(0));
}

}  // namespace segue::bench
