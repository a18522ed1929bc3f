#include "trainer/evaluation/item_scores.h"

#include <algorithm>

namespace segue {

std::vector<Neighbor> ItemScores::Take() {
  std::vector<Neighbor> rows;
  rows.reserve(touched_.size());
  for (const int32_t row : touched_) {
    rows.push_back({row, scores_[row]});
    scores_[row] = 0;
  }
  touched_.clear();
  return rows;
}

void KeepBest(size_t most, std::vector<Neighbor>& rows) {
  const size_t count = std::min(most, rows.size());
  std::partial_sort(rows.begin(), rows.begin() + static_cast<int64_t>(count),
                    rows.end(), [](const Neighbor& a, const Neighbor& b) {
                      if (a.score != b.score) return a.score > b.score;
                      return a.row < b.row;
                    });
  rows.resize(count);
  rows.shrink_to_fit();
}

}  // namespace segue
