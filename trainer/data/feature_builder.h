// Collects one feature of items or users while a table is read.
#ifndef SEGUE_TRAINER_DATA_FEATURE_BUILDER_H_
#define SEGUE_TRAINER_DATA_FEATURE_BUILDER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "segue/v1/config.pb.h"
#include "trainer/data/column.h"
#include "trainer/data/dataset.h"
#include "trainer/data/id_encoder.h"
#include "trainer/data/vector_builder.h"

namespace segue {

// Where a row of an old vocabulary went in a new one; kDropped: nowhere.
inline constexpr int32_t kDropped = -1;

// Values by owner (a row of items or users), in the order of their adding. One
// thread.
class FeatureBuilder {
 public:
  // `separator` splits texts of a MULTI_CATEGORICAL and of a VECTOR; empty:
  // none does.
  FeatureBuilder(std::string name, v1::FeatureKind kind, std::string separator);

  // What Add() wants the feature's column as.
  ColumnType column_type() const;
  bool HasValue(int32_t owner) const;
  // So many owners are coming: vectors, which are large, make room at once.
  void Reserve(int32_t owners) { vectors_.Reserve(owners); }
  const VectorBuilder& vectors() const { return vectors_; }

  // Gives `owner` what stands in row i; a null adds nothing. But for a
  // MULTI_CATEGORICAL only the first value counts. InvalidArgument, without the
  // cell, as CheckId() and VectorBuilder.
  absl::Status Add(int32_t owner, const Column& column, int64_t i);

  // The table of `rows` rows, in which owner o is new_rows[o]. Only values that
  // a row has stay in the vocabulary. Leaves the builder empty. REQUIRES for a
  // VECTOR: new_rows[o] is o.
  FeatureTable Finish(int64_t rows, const std::vector<int32_t>& new_rows);

 private:
  absl::Status AddSplit(int32_t owner, absl::string_view text);
  void AddValue(int32_t owner, int32_t value);
  void FillNumbers(int64_t rows, const std::vector<int32_t>& new_rows,
                   FeatureTable& table);
  void FillValues(int64_t rows, const std::vector<int32_t>& new_rows,
                  FeatureTable& table);
  void KeepUsedValues(FeatureTable& table);

  std::string name_;
  v1::FeatureKind kind_;
  std::string separator_;
  std::vector<bool> has_value_;  // by owner
  std::vector<double> numbers_;  // NUMERIC, by owner
  // CATEGORICAL and MULTI_CATEGORICAL: pairs.
  std::vector<int32_t> owners_;
  std::vector<int32_t> owned_;
  std::unique_ptr<Vocabulary> values_;
  IdEncoder encoder_;
  VectorBuilder vectors_;  // VECTOR
};

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_FEATURE_BUILDER_H_
