// The figure that tells a model in training how good it is.
#ifndef SEGUE_TRAINER_EVALUATION_VALIDATION_RECALL_H_
#define SEGUE_TRAINER_EVALUATION_VALIDATION_RECALL_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "trainer/data/dataset.h"
#include "trainer/data/split.h"
#include "trainer/model/two_tower_model.h"

namespace segue {

// Exact recall@k of a model on validation queries.
absl::StatusOr<double> ValidationRecall(
    TwoTowerModel& model, const Dataset& data,
    const std::vector<EvaluationQuery>& queries, int32_t k, bool filter_seen,
    int32_t threads);

}  // namespace segue

#endif  // SEGUE_TRAINER_EVALUATION_VALIDATION_RECALL_H_
