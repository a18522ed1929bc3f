// The last check before a snapshot serves: it has to answer.
#ifndef SEGUE_SERVER_WARM_UP_H_
#define SEGUE_SERVER_WARM_UP_H_

#include "absl/status/status.h"
#include "core/retrieval/serving_snapshot.h"

namespace segue {

// Answers the bundle's golden requests, and an anonymous one, alone and
// `max_batch` at once: pages are read in and TorchScript specialises itself
// here, not under the first users. The error of the first that fails; Internal
// for an answer of the wrong length or with a score that is not finite.
absl::Status WarmUp(const ServingSnapshot& snapshot, int max_batch);

}  // namespace segue

#endif  // SEGUE_SERVER_WARM_UP_H_
