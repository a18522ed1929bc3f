// Where chosen items occur in the training events.
#ifndef SEGUE_TRAINER_EVALUATION_OCCURRENCES_H_
#define SEGUE_TRAINER_EVALUATION_OCCURRENCES_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "trainer/data/dataset.h"
#include "trainer/data/split.h"

namespace segue {

// The items are numbered by slots; immutable, const members from any thread.
// 8 bytes an event kept and 4 an item of the catalogue.
class Occurrences {
 public:
  // Of the distinct rows among `wanted`; `counts` are ItemCounts::events. Of an
  // item with more than `most` training events it keeps that many, spread
  // evenly over all of them in the order of the log.
  Occurrences(const EventLog& log, const Split& split,
              absl::Span<const double> counts, absl::Span<const int32_t> wanted,
              int64_t most);

  int64_t slots() const { return static_cast<int64_t>(rows_.size()); }
  // -1: the item was not among the wanted.
  int32_t SlotOf(int32_t row) const { return slot_of_[row]; }
  int32_t RowOf(int64_t slot) const { return rows_[slot]; }
  // Ascending event numbers.
  absl::Span<const int64_t> Of(int64_t slot) const {
    return absl::MakeConstSpan(events_).subspan(
        begins_[slot], begins_[slot + 1] - begins_[slot]);
  }

 private:
  std::vector<int32_t> slot_of_;  // [items]
  std::vector<int32_t> rows_;     // [slots]
  std::vector<int64_t> begins_;   // [slots + 1]
  std::vector<int64_t> events_;
};

}  // namespace segue

#endif  // SEGUE_TRAINER_EVALUATION_OCCURRENCES_H_
