// The model: two towers over shared tables, with its optimisers.
#ifndef SEGUE_TRAINER_MODEL_TWO_TOWER_MODEL_H_
#define SEGUE_TRAINER_MODEL_TWO_TOWER_MODEL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/towers/towers.h"
#include "segue/v1/bundle.pb.h"
#include "segue/v1/config.pb.h"
#include "segue/v1/training_state.pb.h"
#include "trainer/data/dataset.h"
#include "trainer/data/split.h"
#include "trainer/data/training_steps.h"

namespace segue {

struct WarmStartBundle;

// Query tower and item tower over one set of item tables (Yi et al. 2019, 4.1),
// the input row of a user, the example age (Covington et al. 2016, 3.3), the
// streaming frequency estimator and the optimisers.
//
// Borrows the data and the split. One thread calls; kernels use as many as
// torch and OpenMP are set to. All that is random is a function of the seed and
// of the step, so that a model loaded from a checkpoint goes on as the saved
// one would have: bit for bit on the same machine with as many threads.
class TwoTowerModel {
 public:
  // `steps`: of the whole run, for schedules of the learning rate. `earlier`,
  // if not null, is the schema of the bundle that WarmStart() will bring:
  // widths of embeddings that the configuration leaves at 0 and the scales of
  // numbers and ages are the bundle's. InvalidArgument if a feature's numbers
  // do not suit its transform, or negatives FULL meets more items than
  // kMostCandidates.
  static absl::StatusOr<std::unique_ptr<TwoTowerModel>> Create(
      const Dataset& data, const Split& split, const v1::TrainerConfig& config,
      int64_t steps = 0, const v1::FeatureSchema* earlier = nullptr);
  ~TwoTowerModel();

  // Begins from what a bundle learnt: the towers' weights and the embeddings of
  // ids and values. New ones begin as the unknown ones. What embeds then is
  // what the bundle serves. A learnt temperature goes on from the bundle's; the
  // optimisers and the frequency estimator begin anew.
  // REQUIRES: created with the bundle's schema; no step was done.
  // FailedPrecondition, naming the part, if the bundle's model has another
  // shape; the model is of no use then.
  absl::Status WarmStart(const WarmStartBundle& earlier);

  // One step; returns its loss, the weighted mean over the targets of the
  // cross-entropy in nats. Where the loss or its gradient is not finite it
  // returns what is not, nothing is learnt, and the caller stops. Sequences
  // need an encoder that knows order.
  double TrainStep(const TrainingExamples& examples);
  // Steps done.
  int64_t step() const;
  // As it is, or as it was learnt.
  double temperature() const;

  // Writes [queries, d] vectors of what serving would embed: nothing dropped,
  // the serving age, rows of users and items that training did not see unknown.
  absl::Status EmbedQueries(absl::Span<const EvaluationQuery> queries,
                            absl::Span<float> out);
  // Writes [items, d].
  absl::Status EmbedItems(absl::Span<float> out);

  // Everything that training goes on from, in one file, atomically; `progress`
  // is kept with it and given back by LoadCheckpoint. FailedPrecondition if a
  // weight is not finite; else what the file system says. Then nothing is
  // written, and an older file of that name is as it was.
  absl::Status SaveCheckpoint(const std::string& path,
                              const v1::TrainingState& progress) const;
  // NotFound, or DataLoss if not every byte is what was saved.
  // FailedPrecondition if the saved progress has another fingerprint: nothing
  // has changed then; or if the model has another shape: part of it has.
  absl::StatusOr<v1::TrainingState> LoadCheckpoint(
      const std::string& path, absl::string_view fingerprint);

  const TowerShape& shape() const;

  // For publishing.
  v1::FeatureSchema Schema() const;
  // TorchScript files, evaluation mode.
  absl::Status SaveTowers(const std::string& query_path,
                          const std::string& item_path) const;
  // Fused rows, as served: known rows, then unknown ones.
  void ReadItemRow(int64_t row, absl::Span<float> out) const;
  // The embedding of a value of an item feature, by its row in the feature's
  // vocabulary. REQUIRES: the feature has embeddings.
  void ReadItemValue(int32_t feature, int64_t row, absl::Span<float> out) const;
  // [u]: the user's part, then the request features' unknown values.
  void ReadUserRow(int64_t row, absl::Span<float> out) const;

 private:
  struct State;
  explicit TwoTowerModel(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// A learnt temperature stays within these: below, one negative outweighs all
// others; above, a cosine can no longer tell items apart.
inline constexpr double kLeastTemperature = 0.005;
inline constexpr double kMostTemperature = 1;

// log2 of the count, rounded up, at least 2: the seed's width of an embedding.
int32_t DefaultEmbeddingWidth(int64_t count);

}  // namespace segue

#endif  // SEGUE_TRAINER_MODEL_TWO_TOWER_MODEL_H_
