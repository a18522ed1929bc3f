// What a configuration asks of files that it does not name.
#ifndef SEGUE_TRAINER_CONFIG_EMPTY_PATHS_H_
#define SEGUE_TRAINER_CONFIG_EMPTY_PATHS_H_

#include <string>
#include <vector>

#include "segue/v1/config.pb.h"

namespace segue {

// Takes out of `config` what an empty path leaves without a source, so that one
// configuration serves sets with and without the file: with an empty items.path
// the features and attributes of source ITEMS, display_columns and the
// catalogue ALL; with a mapping_path that is set, to nothing, its feature or
// attribute. Returns a line for people about each.
std::vector<std::string> LeaveOutEmptyPaths(v1::TrainerConfig& config);

}  // namespace segue

#endif  // SEGUE_TRAINER_CONFIG_EMPTY_PATHS_H_
