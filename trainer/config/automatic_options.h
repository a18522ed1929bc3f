// Settings that follow from the data's size where a configuration leaves them
// open.
#ifndef SEGUE_TRAINER_CONFIG_AUTOMATIC_OPTIONS_H_
#define SEGUE_TRAINER_CONFIG_AUTOMATIC_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "segue/v1/config.pb.h"

namespace segue {

// Items up to which a softmax over all of them is chosen: a step of 4,096
// targets in 128 dimensions takes some 0.3 s of one processor for it.
inline constexpr int64_t kFullSoftmaxItems = 10000;

// Fills in, for `items` items with `events` training events:
//  - training.loss.negatives AUTO: FULL up to kFullSoftmaxItems, UNIFORM above;
//  - model.encoder.dropout, if it is not set and the encoder knows order: 0.5
//    up to 20 events an item, 0.2 from 200, along the logarithm between. Sparse
//    sets overfit within a few epochs with less, dense ones learn slowly with
//    more.
// REQUIRES: both are positive. Returns a line for people about each.
std::vector<std::string> FillAutomaticOptions(int64_t items, int64_t events,
                                              v1::TrainerConfig& config);

}  // namespace segue

#endif  // SEGUE_TRAINER_CONFIG_AUTOMATIC_OPTIONS_H_
