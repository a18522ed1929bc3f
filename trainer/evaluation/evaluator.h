// How good a bundle is: its own towers and its own index, asked what users did
// next.
#ifndef SEGUE_TRAINER_EVALUATION_EVALUATOR_H_
#define SEGUE_TRAINER_EVALUATION_EVALUATOR_H_

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/retrieval/serving_snapshot.h"
#include "segue/v1/config.pb.h"
#include "segue/v1/report.pb.h"
#include "trainer/data/dataset.h"
#include "trainer/data/split.h"

namespace segue {

// Exact and approximate answers to the test queries (at most max_queries of
// them), the baselines' to the same queries under the same filter, the figures
// of both in parts, and a few answers for people.
//
// The data may be newer than the bundle: rows are matched by id, and a target
// that the bundle lacks is one that it did not find.
//
// Memory does not grow with the number of queries: they are answered 4,096 at a
// time, which takes some 130 MB, twice the excluded items of as many histories
// (filter_seen), and what ItemKnn() says. Besides: the vectors of the
// catalogue and some 60 bytes an item, and the figures of each user, 2.5 KB.
absl::StatusOr<v1::EvaluationReport> EvaluateSnapshot(
    const ServingSnapshot& snapshot, const Dataset& data, const Split& split,
    const v1::TrainerConfig& config, int32_t threads,
    const std::function<void(absl::string_view)>& progress);

}  // namespace segue

#endif  // SEGUE_TRAINER_EVALUATION_EVALUATOR_H_
