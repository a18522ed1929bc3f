// What a TwoTowerModel is made of; private to its .cc files, which alone
// include torch.
#ifndef SEGUE_TRAINER_MODEL_TWO_TOWER_STATE_H_
#define SEGUE_TRAINER_MODEL_TWO_TOWER_STATE_H_

#include <torch/torch.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "trainer/model/age.h"
#include "trainer/model/batch.h"
#include "trainer/model/candidates.h"
#include "trainer/model/frequency_estimator.h"
#include "trainer/model/learning_rate.h"
#include "trainer/model/row_encoder.h"
#include "trainer/model/sampled_softmax.h"
#include "trainer/model/tower_scripts.h"
#include "trainer/model/two_tower_model.h"

namespace segue {

struct TwoTowerModel::State {
  const Dataset& data;
  const v1::TrainerConfig config;
  const Dislikes dislikes;  // of the training period, if they are to be used
  AgeScale age;
  LearningRate learning_rate;
  RowEncoder items, users, requests;
  TowerShape shape;
  uint32_t latest_training_time = 0;
  torch::jit::Module query_tower, item_tower;
  torch::Tensor log_temperature;  // [1]
  std::unique_ptr<torch::optim::AdamW> optimiser;
  FrequencyEstimator frequency;
  Batch batch;        // of training
  Batch quiet_batch;  // nothing dropped
  Candidates candidates;
  SampledSoftmax softmax;
  int64_t step = 0;

  // What the towers take of the current batch. Those that rows of tables are
  // copied to are leaves, so that gradients stop there. The seeds of sequences
  // are their rows.
  torch::Tensor user, history, seed, candidate;
  torch::Tensor mask, ages;                               // of windows; of both
  torch::Tensor positions, begins;                        // of sequences
  torch::Tensor times, target_times;                      // undefined: none
  std::vector<float> item_rows, user_rows, request_rows;  // distinct
  // Predictions of the batch that are trained, where not every event of a
  // sequence can be a target; empty: all of them.
  std::vector<int64_t> predictions;
  std::vector<float> weights;
  std::vector<PairOffset> pairs;

  int64_t PredictionCount() const {
    return predictions.empty() ? batch.size()
                               : static_cast<int64_t>(predictions.size());
  }
  int64_t Prediction(int64_t i) const {
    return predictions.empty() ? i : predictions[i];
  }

  // The towers' parameters with their names, in a fixed order; those that the
  // towers share once.
  std::vector<std::pair<std::string, torch::Tensor>> TowerParameters() const;
  // What is trained and lies in no table: those, and the temperature.
  std::vector<torch::Tensor> DenseParameters() const;

  // A step, in this order. (two_tower_step.cc)
  void Fill(const TrainingExamples& examples);
  void FindPredictions();
  void Compose(const Batch& from);
  void Gather(const Batch& from, bool training);
  void GatherTimes(const Batch& from);
  torch::Tensor RunQueryTower();
  double ComputeLoss(const torch::Tensor& query, const torch::Tensor& scored,
                     SoftmaxGradients& gradients);
  void AddDislikes();
  void FindPairs();
  void SumGradients();
  // False, and nothing has changed, if the gradient is not finite.
  bool ApplyGradients();

  // Rows as they stand, for embedding.
  void ReadRows(const Batch& from);
};

}  // namespace segue

#endif  // SEGUE_TRAINER_MODEL_TWO_TOWER_STATE_H_
