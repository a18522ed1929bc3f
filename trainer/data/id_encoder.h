// Ids of a column to rows of a vocabulary, quickly.
#ifndef SEGUE_TRAINER_DATA_ID_ENCODER_H_
#define SEGUE_TRAINER_DATA_ID_ENCODER_H_

#include <cstdint>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/schema/vocabulary.h"
#include "trainer/data/column.h"

namespace segue {

// OK if the text can be an id: at most Vocabulary::kMaxIdBytes of UTF-8.
absl::Status CheckId(absl::string_view id);

// Adds ids to a vocabulary, which it borrows. Integers are looked up as such
// and spelt out only when they are new: 5 million events need no 5 million
// strings. One thread.
class IdEncoder {
 public:
  explicit IdEncoder(Vocabulary* vocabulary) : vocabulary_(vocabulary) {}

  // The row of value i, a new one if it is new. REQUIRES: it is not null and
  // the column is of kId or kIds. InvalidArgument, without the cell, as
  // CheckId().
  absl::StatusOr<int32_t> Add(const Column& column, int64_t i);
  // The row of value i, if the vocabulary has it.
  std::optional<int32_t> Find(const Column& column, int64_t i);

 private:
  Vocabulary* vocabulary_;
  absl::flat_hash_map<int64_t, int32_t> rows_of_integers_;
};

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_ID_ENCODER_H_
