// How good a bundle is: its own towers and its own index, asked what users did
// next.
#ifndef SEGUE_TRAINER_EVALUATION_EVALUATOR_H_
#define SEGUE_TRAINER_EVALUATION_EVALUATOR_H_

#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "core/retrieval/serving_snapshot.h"
#include "segue/v1/config.pb.h"
#include "segue/v1/report.pb.h"
#include "trainer/data/dataset.h"
#include "trainer/data/split.h"
#include "trainer/model/two_tower_model.h"

namespace segue {

// [items, d] item vectors of a snapshot, by its item tower, on `threads`
// threads.
absl::StatusOr<std::vector<float>> EmbedCatalogue(
    const ServingSnapshot& snapshot, int32_t threads);

// Exact and approximate answers to the test queries (at most max_queries of
// them), and the baselines', on the same queries under the same filter. Queries
// go through ResolveQuery and EmbedQueries, as requests do.
//
// The data may be newer than the bundle: rows are matched by id, and a target
// that the bundle lacks is one that it did not find.
absl::StatusOr<v1::SplitReport> EvaluateSnapshot(
    const ServingSnapshot& snapshot, const Dataset& data, const Split& split,
    const v1::TrainerConfig& config, int32_t threads,
    const std::function<void(absl::string_view)>& progress);

// Exact recall@k of a model in training on validation queries.
absl::StatusOr<double> ValidationRecall(
    TwoTowerModel& model, const Dataset& data,
    const std::vector<EvaluationQuery>& queries, int32_t k, bool filter_seen,
    int32_t threads);

}  // namespace segue

#endif  // SEGUE_TRAINER_EVALUATION_EVALUATOR_H_
