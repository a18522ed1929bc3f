// Sums over items of which few are touched.
#ifndef SEGUE_TRAINER_EVALUATION_ITEM_SCORES_H_
#define SEGUE_TRAINER_EVALUATION_ITEM_SCORES_H_

#include <cstdint>
#include <vector>

#include "core/index/vector_index.h"

namespace segue {

// One thread. 4 bytes an item of the catalogue; Take() costs what was touched.
class ItemScores {
 public:
  explicit ItemScores(int64_t items) : scores_(items, 0.0F) {}

  // REQUIRES: score > 0.
  void Add(int32_t row, float score) {
    if (scores_[row] == 0) touched_.push_back(row);
    scores_[row] += score;
  }

  // Every row that was added to, in the order of first additions, with its sum;
  // forgets all.
  std::vector<Neighbor> Take();

 private:
  std::vector<float> scores_;
  std::vector<int32_t> touched_;
};

// Leaves the `most` best, best first, the lower row first among equals, and no
// room for more.
void KeepBest(size_t most, std::vector<Neighbor>& rows);

}  // namespace segue

#endif  // SEGUE_TRAINER_EVALUATION_ITEM_SCORES_H_
