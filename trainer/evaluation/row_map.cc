#include "trainer/evaluation/row_map.h"

namespace segue {

RowMap MapRows(const Vocabulary& snapshot, const Vocabulary& data) {
  RowMap map;
  map.to_data.assign(snapshot.size(), -1);
  map.to_snapshot.assign(data.size(), -1);
  for (int32_t row = 0; row < snapshot.size(); ++row) {
    if (const auto found = data.Find(snapshot.id(row))) {
      map.to_data[row] = *found;
      map.to_snapshot[*found] = row;
    }
  }
  return map;
}

RankedLists Translate(const RankedLists& lists, const std::vector<int32_t>& to,
                      bool keep_unknown) {
  RankedLists translated;
  translated.reserve(lists.size());
  for (const std::vector<int32_t>& list : lists) {
    std::vector<int32_t>& rows = translated.emplace_back();
    for (const int32_t row : list) {
      if (keep_unknown || to[row] >= 0) rows.push_back(to[row]);
    }
  }
  return translated;
}

}  // namespace segue
