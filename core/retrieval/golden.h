// What a bundle has to answer to its golden requests, wherever it is loaded.
#ifndef SEGUE_CORE_RETRIEVAL_GOLDEN_H_
#define SEGUE_CORE_RETRIEVAL_GOLDEN_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/deadline.h"
#include "core/retrieval/serving_snapshot.h"
#include "segue/v1/retrieval.pb.h"

namespace segue {

// How much of the answers has to come back, in the mean over the requests, and
// by how much a score may differ. Processors, and libraries for them, round
// differently; towers of other weights and rows of other items do not pass.
inline constexpr double kLeastGoldenOverlap = 0.99;
inline constexpr double kMostGoldenScoreDifference = 1e-3;

// Ids and scores of the exact answer (by the codes of the index) to each golden
// request, parallel to them.
absl::StatusOr<v1::BatchRetrieveResponse> AnswerGolden(
    const ServingSnapshot& snapshot, Deadline deadline = Deadline::Infinite());

// Answers them anew and compares with the bundle's own golden_answers; nothing
// to do where it has none: an earlier release published it. OutOfRange where it
// answers otherwise, with both figures. DeadlineExceeded at the next step after
// the deadline.
absl::Status CheckGolden(const ServingSnapshot& snapshot,
                         Deadline deadline = Deadline::Infinite());

}  // namespace segue

#endif  // SEGUE_CORE_RETRIEVAL_GOLDEN_H_
