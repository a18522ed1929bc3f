// Names for artists and tracks that do not exist.
#ifndef SEGUE_TRAINER_DATA_SYNTHETIC_NAMES_H_
#define SEGUE_TRAINER_DATA_SYNTHETIC_NAMES_H_

#include <cstdint>
#include <string>

namespace segue {

// Pure functions of the key; two keys may give one name, as in life.
std::string SyntheticArtistName(uint64_t key);
std::string SyntheticTrackTitle(uint64_t key);

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_SYNTHETIC_NAMES_H_
