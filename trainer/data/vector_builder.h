// Collects the vectors of a VECTOR feature and brings them to a common scale.
#ifndef SEGUE_TRAINER_DATA_VECTOR_BUILDER_H_
#define SEGUE_TRAINER_DATA_VECTOR_BUILDER_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "trainer/data/column.h"
#include "trainer/data/dataset.h"

namespace segue {

// Vectors by owner, each once in memory. One thread.
class VectorBuilder {
 public:
  // `separator` splits the numbers of a text.
  explicit VectorBuilder(std::string separator)
      : separator_(std::move(separator)) {}

  // So many owners are coming: memory grows once.
  void Reserve(int32_t owners) { reserved_owners_ = owners; }
  bool HasVector(int32_t owner) const;
  int64_t vectors() const { return count_; }

  // Gives `owner` the vector in row i of a column of kVector; a null and an
  // empty list are none. REQUIRES: it has none yet. InvalidArgument, without
  // the cell, for what is no finite number, and for another length than that of
  // the vectors before.
  absl::Status Add(int32_t owner, const Column& column, int64_t i);

  // Standardised into table.{vectors, vector_width, vector_scale}: less the
  // mean vector, divided by the root mean square length of what is left (1 if
  // that is 0); zeros for rows without a vector. Row r is owner r. Leaves the
  // builder empty.
  void Finish(int64_t rows, FeatureTable& table);

 private:
  absl::Status Parse(absl::string_view text);
  absl::Status CheckNumbers() const;
  v1::VectorScale Standardise();

  std::string separator_;
  int32_t reserved_owners_ = 0;
  int32_t width_ = 0;
  int64_t count_ = 0;
  std::vector<bool> has_vector_;  // [owners]
  std::vector<float> vectors_;    // [owners, width_], zeros where none
  std::vector<double> numbers_;   // of the row that is added
};

// Scales the standardised vectors of `table` in another way, zeros (rows
// without a vector) excepted. REQUIRES: a mean of the vectors' width.
void RescaleVectors(const v1::VectorScale& scale, FeatureTable& table);

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_VECTOR_BUILDER_H_
