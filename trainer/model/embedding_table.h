// An embedding table whose AdamW touches only the rows that a batch touched, so
// that a step costs the same for any number of rows.
#ifndef SEGUE_TRAINER_MODEL_EMBEDDING_TABLE_H_
#define SEGUE_TRAINER_MODEL_EMBEDDING_TABLE_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "trainer/model/adamw.h"

namespace segue {

// Rows of weights with their two Adam moments beside them.
//
// Dense AdamW moves every row at every step: a row without a gradient still
// decays and drifts along its fading momentum. Here such steps are made up for
// in closed form when the row is next touched: decay
// exactly, the drift as a geometric series that takes learning rate and bias
// corrections as they stood at its first step and leaves epsilon out.
// embedding_table_test measures the difference from the dense optimiser.
//
// One step of training, with rows that are all different: Touch() each, read
// them with Row(), Update() each, then AdvanceStep() once. Touch and Update may
// run in parallel for different rows.
class EmbeddingTable {
 public:
  // Weights are normal with standard deviation 0.02, however many rows there
  // are.
  EmbeddingTable(int64_t rows, int32_t width, const AdamWOptions& options,
                 uint64_t seed);

  int64_t rows() const { return static_cast<int64_t>(last_steps_.size()); }
  int32_t width() const { return width_; }

  // Brings the row to the current step.
  void Touch(int64_t row);
  // [width]; REQUIRES: touched in this step.
  const float* Row(int64_t row) const { return &state_[row * 3 * width_]; }
  // One AdamW step of the row along scale * `gradient` [width]. REQUIRES:
  // touched.
  void Update(int64_t row, const float* gradient, float scale = 1);
  void AdvanceStep() { set_step(step_ + 1); }

  // Weights [width] from elsewhere; the moments are as at the start. REQUIRES:
  // no step was done.
  void SetRow(int64_t row, const float* weights);

  // What Row() would be after Touch(), without touching. Any thread, between
  // steps.
  void Read(int64_t row, absl::Span<float> out) const;

  // The whole state, for checkpoints: [rows, 3, width] weights and moments, and
  // the step at which each row was last brought up to date.
  std::vector<float>& state() { return state_; }
  std::vector<int64_t>& last_steps() { return last_steps_; }
  int64_t step() const { return step_; }
  void set_step(int64_t step);

 private:
  // What steps without a gradient do to a row.
  struct Idle {
    double beta1 = 1;  // to the first moment
    double beta2 = 1;  // to the second
    double ratio = 1;  // to the length of a drift step
    double decay = 1;  // to the weights
    double drift = 0;  // in all, per unit of m / sqrt(v)
  };
  // What an update multiplies with, the same for all rows of a step.
  struct Factors {
    float rate = 0;        // with the first moment's correction
    float correction = 0;  // of the second moment's root
    float decay = 0;       // of the weights
  };
  // The powers alone.
  Idle IdlePowers(int64_t missed) const;
  // REQUIRES: from < step().
  Idle IdleSince(int64_t from) const;
  // Writes the weights of a row [3, width] after the idle steps.
  void Advance(const Idle& idle, const float* row, float* weights) const;

  int32_t width_;
  AdamWOptions options_;
  std::vector<float> state_;         // [rows, 3, width]
  std::vector<int64_t> last_steps_;  // [rows]
  std::vector<Idle> idle_;           // [missed], powers of small numbers
  int64_t step_ = 0;                 // completed
  Factors factors_;                  // of the next step
};

}  // namespace segue

#endif  // SEGUE_TRAINER_MODEL_EMBEDDING_TABLE_H_
