// Turns rows of a vocabulary (items, users, or the requests' features) into the
// fused feature rows that the towers take, and brings gradients back.
#ifndef SEGUE_TRAINER_MODEL_ROW_ENCODER_H_
#define SEGUE_TRAINER_MODEL_ROW_ENCODER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "core/schema/numeric_scale.h"
#include "core/schema/vocabulary.h"
#include "segue/v1/bundle.pb.h"
#include "trainer/data/dataset.h"
#include "trainer/model/adamw.h"
#include "trainer/model/embedding_table.h"

namespace segue {

// What an occurrence hides, so that training sees what serving will see of new
// ids and of unknown items.
enum class Hidden : uint8_t {
  kNothing,
  kId,          // the unknown row for its own id
  kEverything,  // and unknown values, mean numbers, for its features
};

// One feature as the encoder takes it. Borrowed.
struct EncodedFeature {
  const FeatureTable* table = nullptr;
  int32_t width = 0;       // of embedding or vector; 1 for numbers
  v1::NumericScale scale;  // numbers only
};

// Rows [0, entities) are known, [entities, entities + buckets) unknown ids.
//
// A fused row is the entity's own embedding, then each feature: the embedding
// of its value, the mean of its values' embeddings, its scaled number, or its
// vector as it is. A feature without a value is its unknown value; numbers and
// vectors are zeros then.
//
// A training step: Begin() with distinct rows, Compose(), SumGradients(),
// ApplyGradients(). One thread calls; the work inside is spread over OpenMP
// threads, with the same result for any number of them.
class RowEncoder {
 public:
  struct Options {
    // Null: no embedding of its own (request features); `entities` rows then.
    const Vocabulary* ids = nullptr;
    int64_t entities = 0;
    int32_t id_width = 0;
    // Ids that training saw; the others share the unknown rows. Empty: all.
    std::vector<bool> trained;
    std::vector<EncodedFeature> features;
    AdamWOptions adamw;
    uint64_t seed = 1;
  };
  explicit RowEncoder(Options options);

  // Floats in a fused row.
  int32_t width() const { return width_; }
  int32_t id_width() const { return options_.id_width; }
  // Known and unknown rows.
  int64_t rows() const;

  // `rows` and `hidden` are parallel, the rows distinct.
  void Begin(absl::Span<const int64_t> rows, absl::Span<const Hidden> hidden);
  // Writes [rows, width].
  void Compose(absl::Span<float> out) const;
  // Sums the gradients [rows, width] of what Compose() gave by rows of the
  // tables.
  void SumGradients(absl::Span<const float> gradients);
  // Of those sums.
  double SquaredGradientNorm() const;
  // One AdamW step along `scale` times those sums; ends the step.
  void ApplyGradients(float scale);

  // A fused row as of now, outside of a step. Any thread.
  void Read(int64_t row, Hidden hidden, absl::Span<float> out) const;

  // Describes the features: name, kind, offset (counted from `base`), width,
  // scales; with values and their embeddings if `with_embeddings`.
  std::vector<v1::FeatureColumn> Describe(int32_t base,
                                          bool with_embeddings) const;

  // The tables, in a fixed order, for checkpoints: own ids first.
  std::vector<EmbeddingTable*> tables();
  // Of a feature by its place, or of the own ids (-1); null if there is none.
  EmbeddingTable* table(int32_t feature) const;
  // Counts a row among Options::trained.
  void SetTrained(int64_t row);

 private:
  // A table, and what of it the current step uses.
  struct Slot {
    std::unique_ptr<EmbeddingTable> table;
    std::vector<int32_t> slot_of_row;  // [table rows], -1: not in this step
    std::vector<int64_t> touched;      // [slots] table row
    std::vector<int32_t> begins;       // [rows + 1] into slots
    std::vector<int32_t> slots;        // slots of each row's values
    std::vector<float> gradients;      // [slots, width]
    int32_t offset = 0;                // within the fused row
    int32_t feature = -1;              // index into features; -1: own id

    void AddValue(int64_t row);
  };

  int64_t IdRow(int64_t row, Hidden hidden) const;
  template <typename Visit>
  void ForEachValue(const Slot& slot, int64_t row, Hidden hidden,
                    const Visit& visit) const;
  float Number(int32_t feature, int64_t row, Hidden hidden) const;
  void SumTable(Slot& slot, absl::Span<const float> gradients) const;
  void WriteGiven(int64_t row, Hidden hidden, float* out) const;

  Options options_;
  int32_t width_ = 0;
  std::vector<Slot> tables_;
  std::vector<int32_t> numeric_;            // features that are numbers
  std::vector<int32_t> vectors_;            // features that are vectors
  std::vector<int32_t> offsets_;            // of each feature
  std::vector<std::vector<float>> scaled_;  // [numeric][entities]
  std::vector<int64_t> rows_in_step_;
  std::vector<Hidden> hidden_in_step_;
};

}  // namespace segue

#endif  // SEGUE_TRAINER_MODEL_ROW_ENCODER_H_
