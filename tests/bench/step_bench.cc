#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/status_macros.h"
#include "tests/bench/benchmarks.h"
#include "tests/bench/matrix_product_timer.h"
#include "tests/bench/timing.h"

namespace segue::bench {
namespace {

constexpr int32_t kWarmUp = 3;
// Steps of one kind, one after the other, before the next kind has its turn.
constexpr int32_t kTurn = 5;

template <typename Examples>
double TimeStep(TwoTowerModel& model, const Examples& examples) {
  const double start = Now();
  model.TrainStep(examples());
  return Now() - start;
}

}  // namespace

absl::Status BenchStep(const SeedSizes& sizes, int32_t steps) {
  ASSIGN_OR_RETURN(const std::unique_ptr<SeedModel> seed,
                   SeedModel::Create(sizes));
  const auto same = [constant = seed->Next()] { return constant; };
  const auto next = [&seed] { return seed->Next(); };
  for (int32_t i = 0; i < kWarmUp; ++i) TimeStep(seed->model(), next);
  std::vector<double> drawn, repeated, shares;
  for (int32_t done = 0; done < steps; done += kTurn) {
    const int32_t turn = std::min(kTurn, steps - done);
    for (int32_t i = 0; i < turn; ++i) {
      drawn.push_back(TimeStep(seed->model(), next));
    }
    for (int32_t i = 0; i < turn; ++i) {
      repeated.push_back(TimeStep(seed->model(), same));
    }
    for (int32_t i = 0; i < turn; ++i) {
      MatrixProductTimer products;
      const double seconds = TimeStep(seed->model(), next);
      shares.push_back(products.seconds() / seconds);
    }
  }
  JsonLine()
      .Add("seconds", drawn)
      .Add("seconds_constant_batch", repeated)
      .Add("share_of_matrix_products", shares)
      .Add("batch", sizes.batch)
      .Add("peak_gb", PeakGigabytes())
      .Print();
  return absl::OkStatus();
}

}  // namespace segue::bench
