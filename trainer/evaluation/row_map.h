// Items of a bundle and of data that may be newer, matched by id.
#ifndef SEGUE_TRAINER_EVALUATION_ROW_MAP_H_
#define SEGUE_TRAINER_EVALUATION_ROW_MAP_H_

#include <cstdint>
#include <vector>

#include "core/index/vector_index.h"
#include "core/schema/vocabulary.h"
#include "trainer/evaluation/evaluation_set.h"

namespace segue {

// Row of the snapshot -> row of the data, -1 where the data lacks the item; and
// back.
struct RowMap {
  std::vector<int32_t> to_data;
  std::vector<int32_t> to_snapshot;
};

RowMap MapRows(const Vocabulary& snapshot, const Vocabulary& data);

// Lists with each row's `to[row]` in its place; where `keep_unknown` is not
// set, without those that are -1.
RankedLists Translate(const RankedLists& lists, const std::vector<int32_t>& to,
                      bool keep_unknown);

}  // namespace segue

#endif  // SEGUE_TRAINER_EVALUATION_ROW_MAP_H_
