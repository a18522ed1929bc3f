#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/status_macros.h"
#include "tests/bench/benchmarks.h"
#include "tests/bench/timing.h"

namespace segue::bench {
namespace {

constexpr int32_t kWarmUp = 3;

// The seed's sizes, scaled to `rows` in all, with batches like those of
// `fewest` rows.
SeedSizes ScaledTo(int64_t rows, int64_t fewest, bool evenly) {
  SeedSizes sizes;
  const double scale = static_cast<double>(rows) /
                       (double{1} * sizes.items + sizes.artists + sizes.albums);
  for (int32_t* size : {&sizes.items, &sizes.artists, &sizes.albums}) {
    *size = static_cast<int32_t>(*size * scale);
  }
  sizes.stride = static_cast<int32_t>(rows / fewest);
  sizes.evenly = evenly;
  return sizes;
}

}  // namespace

absl::Status BenchRows(const std::vector<int64_t>& rows, bool evenly,
                       int32_t steps) {
  const int64_t fewest = *std::min_element(rows.begin(), rows.end());
  std::vector<std::unique_ptr<SeedModel>> models;
  for (const int64_t count : rows) {
    ASSIGN_OR_RETURN(models.emplace_back(),
                     SeedModel::Create(ScaledTo(count, fewest, evenly)));
  }
  std::vector<std::vector<double>> seconds(rows.size());
  for (int32_t step = -kWarmUp; step < steps; ++step) {
    for (size_t i = 0; i < rows.size(); ++i) {
      const double start = Now();
      models[i]->model().TrainStep(models[i]->Next());
      if (step >= 0) seconds[i].push_back(Now() - start);
    }
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    // Turn by turn: what else the processors do weighs on both.
    std::vector<double> ratios;
    for (int32_t step = 0; step < steps; ++step) {
      ratios.push_back(seconds[i][step] / seconds[0][step]);
    }
    JsonLine()
        .Add("rows", static_cast<double>(rows[i]))
        .Add("seconds", seconds[i])
        .Add("by_first", ratios)
        .Print();
  }
  return absl::OkStatus();
}

}  // namespace segue::bench
