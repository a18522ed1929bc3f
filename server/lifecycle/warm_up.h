// The last check before a snapshot serves: it has to answer.
#ifndef SEGUE_SERVER_LIFECYCLE_WARM_UP_H_
#define SEGUE_SERVER_LIFECYCLE_WARM_UP_H_

#include "absl/status/status.h"
#include "core/base/deadline.h"
#include "core/retrieval/serving_snapshot.h"

namespace segue {

// Answers the bundle's golden requests, and an anonymous one, alone, in batches
// of 2, 4, 8, ... up to `max_batch`, and with histories of 1, 2, 4, ... events:
// pages are read in and allocators grow here, not under the first users. Then
// the answers are held against those that the bundle carries (golden.h). The
// error of the first that fails; Internal for an answer of the wrong length or
// with a score that is not finite; OutOfRange for answers that are others;
// DeadlineExceeded at the next step after the deadline.
absl::Status WarmUp(const ServingSnapshot& snapshot, int max_batch,
                    Deadline deadline = Deadline::Infinite());

}  // namespace segue

#endif  // SEGUE_SERVER_LIFECYCLE_WARM_UP_H_
