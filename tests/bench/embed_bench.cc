#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "core/base/status_macros.h"
#include "tests/bench/benchmarks.h"
#include "tests/bench/timing.h"

namespace segue::bench {

absl::Status BenchEmbed(const SeedSizes& sizes, int32_t repetitions) {
  ASSIGN_OR_RETURN(const std::unique_ptr<SeedModel> seed,
                   SeedModel::Create(sizes));
  // After training most rows have idle steps to be made up for.
  seed->model().TrainStep(seed->Next());
  std::vector<float> vectors(static_cast<size_t>(sizes.items) *
                             seed->model().shape().dimension);
  std::vector<double> seconds;
  for (int32_t i = 0; i < repetitions; ++i) {
    const double start = Now();
    RETURN_IF_ERROR(seed->model().EmbedItems(absl::MakeSpan(vectors)));
    seconds.push_back(Now() - start);
  }
  JsonLine()
      .Add("items", sizes.items)
      .Add("seconds", seconds)
      .Add("peak_gb", PeakGigabytes())
      .Print();
  return absl::OkStatus();
}

}  // namespace segue::bench
