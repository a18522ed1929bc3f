// What a TrainerConfig must hold beyond its types.
#ifndef SEGUE_TRAINER_CONFIG_CONFIG_VALIDATION_H_
#define SEGUE_TRAINER_CONFIG_CONFIG_VALIDATION_H_

#include "absl/status/status.h"
#include "segue/v1/config.pb.h"

namespace segue {

// InvalidArgument with every violation, a line each: what is missing, out of
// range or contradictory, by the field's path.
absl::Status ValidateTrainerConfig(const v1::TrainerConfig& config);

}  // namespace segue

#endif  // SEGUE_TRAINER_CONFIG_CONFIG_VALIDATION_H_
