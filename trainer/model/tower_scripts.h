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
// the history, and the age. MEAN: the mean of the history's rows, and the seed
// item's row. Others: the state of the newest event, whose place the seed
// takes. Weights are Xavier-normal, biases 0.
//
// With an encoder there is also forward_packed(user [T, u], rows [T, f],
// positions [T], begins [sequences + 1], age [T]) -> [T, d]: of every event of
// packed sequences what forward would say were it the newest and the seed, but
// for positions, which are counted back from the end of the sequence.
//
// With shape.history_times, which is for HSTU, forward takes times [B, n] and
// now [B] besides, and forward_packed times [T] and next_times [T]: longs, in
// seconds. What follows the newest event of a history is the request.
//
// `shared_items`, for an encoder as wide as the vectors: items enter it as what
// the item tower's layers make of them, by the very same weights, and the MLP's
// result is added to the state rather than taken for it (at first it is 0). So
// the query begins as a sum of what the items' vectors are made of, as where
// input and output embeddings are one (SASRec, Kang and McAuley 2018, III-D).
torch::jit::Module MakeQueryTower(
    const TowerShape& shape, const TowerOptions& options,
    const torch::jit::Module* shared_items = nullptr);

// forward(rows [B, f]) -> [B, d] of length 1.
torch::jit::Module MakeItemTower(const TowerShape& shape,
                                 const TowerOptions& options);

}  // namespace segue

#endif  // SEGUE_TRAINER_MODEL_TOWER_SCRIPTS_H_
