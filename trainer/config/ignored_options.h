// What a configuration says to no effect.
#ifndef SEGUE_TRAINER_CONFIG_IGNORED_OPTIONS_H_
#define SEGUE_TRAINER_CONFIG_IGNORED_OPTIONS_H_

#include <string>
#include <vector>

#include "segue/v1/config.pb.h"

namespace segue {

// A line for people about each field that is set, but that what else is set
// leaves without a use. Not an error: one file serves several settings by
// --set.
std::vector<std::string> IgnoredOptions(const v1::TrainerConfig& config);

}  // namespace segue

#endif  // SEGUE_TRAINER_CONFIG_IGNORED_OPTIONS_H_
