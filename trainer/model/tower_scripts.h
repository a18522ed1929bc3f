// The towers' definitions: TorchScript that the trainer trains, saves and the
// server runs, so that there is one definition of each.
#ifndef SEGUE_TRAINER_MODEL_TOWER_SCRIPTS_H_
#define SEGUE_TRAINER_MODEL_TOWER_SCRIPTS_H_

#include <torch/script.h>

#include <cstdint>
#include <vector>

#include "core/towers/towers.h"
#include "trainer/model/sequence_encoder.h"

namespace segue {

struct TowerOptions {
  std::vector<int32_t> layers = {1024, 512, 128};  // hidden ones and the output
  double dropout = 0;
  // MEAN: `encoder` is not looked at.
  SequenceEncoderOptions encoder = {.kind = v1::EncoderConfig::MEAN};
  uint64_t seed = 1;
};

// forward(user [B, u], history [B, n, f], mask [B, n], seed [B, f], age [B])
// -> [B, d] of length 1: an MLP over the user's row, what the encoder makes of
// the history (the mean of its rows, or its newest token), the seed item's row
// and the age. Weights are Xavier-normal, biases 0.
torch::jit::Module MakeQueryTower(const TowerShape& shape,
                                  const TowerOptions& options);

// forward(rows [B, f]) -> [B, d] of length 1.
torch::jit::Module MakeItemTower(const TowerShape& shape,
                                 const TowerOptions& options);

}  // namespace segue

#endif  // SEGUE_TRAINER_MODEL_TOWER_SCRIPTS_H_
