// What a checkpoint must agree with to be gone on from.
#ifndef SEGUE_TRAINER_CONFIG_RUN_FINGERPRINT_H_
#define SEGUE_TRAINER_CONFIG_RUN_FINGERPRINT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "segue/v1/config.pb.h"
#include "trainer/data/dataset.h"

namespace segue {

// SHA-256, hex, of all that decides the published weights: the configuration
// and everything in the data that a step or a validation looks at.
// `warm_start_hash` is the content hash of the bundle that training begins
// from; empty: none.
//
// Left out is what may change when a run goes on: where it lies and publishes,
// index and gate, how many checkpoints it keeps and when, max_steps, the
// patience of early stopping, and epochs where no schedule ends with them. What
// is asked in validation counts only where early stopping listens.
std::string RunFingerprint(const v1::TrainerConfig& config, const Dataset& data,
                           absl::string_view warm_start_hash);

}  // namespace segue

#endif  // SEGUE_TRAINER_CONFIG_RUN_FINGERPRINT_H_
