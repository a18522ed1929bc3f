// What a model has to beat.
#ifndef SEGUE_TRAINER_EVALUATION_BASELINES_H_
#define SEGUE_TRAINER_EVALUATION_BASELINES_H_

#include <cstdint>
#include <functional>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "segue/v1/config.pb.h"
#include "segue/v1/report.pb.h"
#include "trainer/data/dataset.h"
#include "trainer/data/split.h"
#include "trainer/evaluation/evaluation_set.h"

namespace segue {

// Fills `baselines` with the figures of all of them on the set: most popular,
// recently popular (where times are seconds), item kNN and transitions. Where
// the latter two know too few items, the most popular ones follow. `counts` are
// TrainingCounts(); a line of progress each.
void MeasureBaselines(const EventLog& log, const Split& split,
                      absl::Span<const double> counts, const EvaluationSet& set,
                      const v1::TrainerConfig& config, int32_t threads,
                      const std::function<void(absl::string_view)>& progress,
                      v1::Baselines& baselines);

// Names in `report` the baselines whose recall@10 or recall@100 is above the
// exact one of the model, each with a line of progress.
void FindLosses(const std::function<void(absl::string_view)>& progress,
                v1::SplitReport& report);

}  // namespace segue

#endif  // SEGUE_TRAINER_EVALUATION_BASELINES_H_
