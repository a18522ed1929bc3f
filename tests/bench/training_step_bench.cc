// Times training steps at the seed notebook's sizes, on random data in memory:
// the counterpart of a dense PyTorch step over the same towers and tables.
#include <malloc.h>
#include <omp.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "core/towers/torchscript_towers.h"
#include "trainer/base/random.h"
#include "trainer/data/dataset.h"
#include "trainer/data/split.h"
#include "trainer/model/two_tower_model.h"

namespace {

using segue::Dataset;
using segue::FeatureTable;

struct Sizes {
  int32_t users = 9238, items = 877168, artists = 1293394, albums = 3367691;
  int32_t batch = 2048, steps = 20, warm_up = 3, events_per_user = 400;
};

// Zipf-like with exponent 1.3, as numpy's zipf (rejection-free approximation by
// inversion of the continuous law).
int32_t Zipf(segue::Random& random, int32_t n) {
  const double x = std::pow(1 - random.Uniform(), -1 / 0.3);
  return static_cast<int32_t>(std::fmod(x - 1, n));
}

FeatureTable Categories(const char* name, int32_t items, int32_t values,
                        segue::Random& random) {
  FeatureTable table{.name = name, .kind = segue::v1::MULTI_CATEGORICAL};
  for (int32_t v = 0; v < values; ++v) table.values.Add(absl::StrCat(v));
  table.begins.push_back(0);
  for (int32_t item = 0; item < items; ++item) {
    table.value_rows.push_back(Zipf(random, values));
    table.begins.push_back(table.value_rows.size());
  }
  return table;
}

Dataset MakeData(const Sizes& sizes) {
  Dataset data;
  segue::Random random(1);
  for (int32_t u = 0; u < sizes.users; ++u) data.users.Add(absl::StrCat(u));
  for (int32_t i = 0; i < sizes.items; ++i) data.items.Add(absl::StrCat(i));
  data.log.user_begins.push_back(0);
  for (int32_t u = 0; u < sizes.users; ++u) {
    for (int32_t e = 0; e < sizes.events_per_user; ++e) {
      data.log.items.push_back(Zipf(random, sizes.items));
      data.log.times.push_back(e * 60000);
      data.log.weights.push_back(static_cast<float>(random.Uniform()));
    }
    data.log.user_begins.push_back(data.log.size());
  }
  data.item_features.push_back(
      Categories("artist_id", sizes.items, sizes.artists, random));
  data.item_features.push_back(
      Categories("album_id", sizes.items, sizes.albums, random));
  FeatureTable length{.name = "track_length_seconds",
                      .kind = segue::v1::NUMERIC};
  for (int32_t i = 0; i < sizes.items; ++i) {
    length.numbers.push_back(static_cast<float>(180 + 60 * random.Normal()));
  }
  data.item_features.push_back(std::move(length));
  return data;
}

double Now() {
  return std::chrono::duration<double>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

int main(int argc, char** argv) {
  Sizes sizes;
  CLI::App app("Times training steps on random data");
  app.add_option("--users", sizes.users);
  app.add_option("--items", sizes.items);
  app.add_option("--artists", sizes.artists);
  app.add_option("--albums", sizes.albums);
  app.add_option("--batch", sizes.batch);
  app.add_option("--steps", sizes.steps);
  int threads = omp_get_num_procs();
  app.add_option("--threads", threads);
  CLI11_PARSE(app, argc, argv);
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  omp_set_num_threads(threads);
  segue::UseKernelThreads(threads);

  const Dataset data = MakeData(sizes);
  segue::Split split;
  for (int32_t u = 0; u < sizes.users; ++u) {
    split.train_ends.push_back(data.log.user_begins[u + 1]);
  }
  split.training_events = data.log.size();
  split.item_in_training.assign(data.items.size(), true);
  split.latest_training_time = data.log.times.back();
  segue::v1::TrainerConfig config;
  for (const FeatureTable& table : data.item_features) {
    config.mutable_items()->add_features()->set_name(table.name);
  }
  auto model = segue::TwoTowerModel::Create(data, split, config);
  if (!model.ok()) {
    std::fprintf(stderr, "%s\n", std::string(model.status().message()).c_str());
    return 1;
  }
  segue::Random random(2);
  std::vector<double> seconds;
  for (int step = 0; step < sizes.steps + sizes.warm_up; ++step) {
    std::vector<segue::EvaluationQuery> examples;
    for (int32_t b = 0; b < sizes.batch; ++b) {
      const int32_t user = static_cast<int32_t>(random.Below(sizes.users));
      examples.push_back({user, data.log.user_begins[user] + 1 +
                                    static_cast<int64_t>(random.Below(
                                        sizes.events_per_user - 1))});
    }
    const double start = Now();
    (*model)->TrainStep(examples);
    if (step >= sizes.warm_up) seconds.push_back(Now() - start);
  }
  std::sort(seconds.begin(), seconds.end());
  const double median = seconds[seconds.size() / 2];
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  std::printf(
      "%.3f s/step (median of %zu, %.3f to %.3f)  %.0f examples/s  %.2f GB "
      "peak\n",
      median, seconds.size(), seconds.front(), seconds.back(),
      sizes.batch / median, usage.ru_maxrss / 1e6);
  return 0;
}
