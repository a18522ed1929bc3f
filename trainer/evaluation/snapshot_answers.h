// What a bundle answers: its own towers, all of its items and its own index.
#ifndef SEGUE_TRAINER_EVALUATION_SNAPSHOT_ANSWERS_H_
#define SEGUE_TRAINER_EVALUATION_SNAPSHOT_ANSWERS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/retrieval/serving_snapshot.h"
#include "trainer/data/dataset.h"
#include "trainer/evaluation/evaluation_set.h"
#include "trainer/evaluation/row_map.h"

namespace segue {

// Rows are the snapshot's, best first, one list a query.
struct SnapshotAnswers {
  std::vector<std::vector<Neighbor>> exact;  // as deep as reports go
  // Parallel to kReportDepths: what the server answers to a top_k of so many,
  // with the effort that it takes for that.
  std::vector<RankedLists> ann;
};

// Queries go through ResolveQuery and EmbedQueries, as requests do.
// `item_vectors` are EmbedCatalogue()'s. 16 KB of answers a query: ask some
// thousands at a time. InvalidArgument: what a request may not hold.
absl::StatusOr<SnapshotAnswers> AnswerQueries(
    const ServingSnapshot& snapshot, absl::Span<const float> item_vectors,
    const Dataset& data, const RowMap& map, const EvaluationSet& set,
    int32_t threads);

}  // namespace segue

#endif  // SEGUE_TRAINER_EVALUATION_SNAPSHOT_ANSWERS_H_
