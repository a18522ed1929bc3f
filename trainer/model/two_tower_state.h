// What a TwoTowerModel is made of; private to its .cc files, which alone
// include torch.
#ifndef SEGUE_TRAINER_MODEL_TWO_TOWER_STATE_H_
#define SEGUE_TRAINER_MODEL_TWO_TOWER_STATE_H_

#include <torch/torch.h>

#include <memory>
#include <vector>

#include "trainer/model/age.h"
#include "trainer/model/batch.h"
#include "trainer/model/frequency_estimator.h"
#include "trainer/model/in_batch_softmax.h"
#include "trainer/model/row_encoder.h"
#include "trainer/model/tower_scripts.h"
#include "trainer/model/two_tower_model.h"

namespace segue {

struct TwoTowerModel::State {
  const Dataset& data;
  const v1::TrainerConfig config;
  AgeScale age;
  RowEncoder items, users, requests;
  TowerShape shape;
  torch::jit::Module query_tower, item_tower;
  std::unique_ptr<torch::optim::AdamW> optimiser;
  FrequencyEstimator frequency;
  Batch batch;        // of training
  Batch quiet_batch;  // nothing dropped
  InBatchSoftmax softmax;
  int64_t step = 0;

  // Tensors of the current batch; leaves, so that gradients stop here.
  torch::Tensor user, history, seed, target, mask, ages;
  std::vector<float> item_rows, user_rows, request_rows;
  std::vector<float> log_q, weights;

  std::vector<torch::Tensor> DenseParameters();
  void Encode(const Batch& from, bool training);
  void Gather(const Batch& from, bool training);
  void Scatter();
  void GatherReadRows(const Batch& from);
  std::vector<torch::jit::IValue> QueryInputs() const {
    return {user, history, mask, seed, ages};
  }
};

}  // namespace segue

#endif  // SEGUE_TRAINER_MODEL_TWO_TOWER_STATE_H_
