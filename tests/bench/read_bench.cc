#include "core/base/status_macros.h"
#include "tests/bench/benchmarks.h"
#include "tests/bench/timing.h"
#include "trainer/data/dataset_reader.h"
#include "trainer/data/split.h"
#include "trainer/data/training_steps.h"

namespace segue::bench {

absl::Status BenchRead(const v1::TrainerConfig& config) {
  const double start = Now();
  ASSIGN_OR_RETURN(const Dataset data, ReadDataset(config, {}));
  const double read = Now();
  ASSIGN_OR_RETURN(const Split split,
                   SplitEvents(data.log, data.items.size(), config));
  ASSIGN_OR_RETURN(const TrainingSteps steps,
                   TrainingSteps::Create(data.log, split, config));
  const double ready = Now();
  JsonLine()
      .Add("seconds", ready - start)
      .Add("read_seconds", read - start)
      .Add("events", static_cast<double>(data.log.size()))
      .Add("users", data.users.size())
      .Add("items", data.items.size())
      .Add("examples", static_cast<double>(steps.examples_per_epoch()))
      .Add("peak_gb", PeakGigabytes())
      .Print();
  return absl::OkStatus();
}

}  // namespace segue::bench
