// From a trained model to a published bundle: export, index, evaluate what was
// written, pass the gate, publish.
#ifndef SEGUE_TRAINER_PUBLISH_PUBLISHER_H_
#define SEGUE_TRAINER_PUBLISH_PUBLISHER_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "segue/v1/config.pb.h"
#include "segue/v1/report.pb.h"
#include "trainer/data/dataset.h"
#include "trainer/data/split.h"
#include "trainer/data/window_sampler.h"
#include "trainer/model/two_tower_model.h"
#include "trainer/training/progress.h"

namespace segue {

// Writes the bundle, measures it as it lies in its staging folder, completes
// `report`, and publishes. Also writes run_dir/sample_requests.json: requests
// with histories of real users, for people and load tests. Returns the version.
//
// FailedPrecondition, with figure and limit, if the publish gate refuses; the
// report is in run_dir all the same, and nothing is published.
absl::StatusOr<std::string> PublishModel(
    TwoTowerModel& model, const Dataset& data, const Split& split,
    const WindowSampler& sampler, const v1::TrainerConfig& config,
    int32_t threads, v1::Report& report, Progress& progress);

// OK, or why the gate of `config` refuses the figures.
absl::Status CheckPublishGate(const v1::PublishConfig& config,
                              const v1::SplitReport& test);

}  // namespace segue

#endif  // SEGUE_TRAINER_PUBLISH_PUBLISHER_H_
