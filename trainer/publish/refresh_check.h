// Whether a refreshed index still finds what it should.
#ifndef SEGUE_TRAINER_PUBLISH_REFRESH_CHECK_H_
#define SEGUE_TRAINER_PUBLISH_REFRESH_CHECK_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/retrieval/serving_snapshot.h"

namespace segue {

struct RefreshOverlap {
  double overlap = 1;      // @k of held-out queries, with the exact answer
  double new_overlap = 1;  // of the appended rows of exact answers, the share
                           //   that was found
};

// Searches the snapshot's index as the server will for some of `queries` [Q,
// d], and for as many as 1,000 items for the share of `appended` [N, d], the
// vectors of its last rows; where even these have hardly any, for some of
// `appended` as queries. What is exact is scored by the best codes of the
// index, and, for the appended rows, by their vectors.
absl::StatusOr<RefreshOverlap> MeasureRefresh(const ServingSnapshot& snapshot,
                                              absl::Span<const float> queries,
                                              absl::Span<const float> appended,
                                              int32_t k, int32_t threads);

}  // namespace segue

#endif  // SEGUE_TRAINER_PUBLISH_REFRESH_CHECK_H_
