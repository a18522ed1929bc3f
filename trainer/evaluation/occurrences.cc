#include "trainer/evaluation/occurrences.h"

#include <algorithm>

namespace segue {

Occurrences::Occurrences(const EventLog& log, const Split& split,
                         absl::Span<const double> counts,
                         absl::Span<const int32_t> wanted, int64_t most)
    : slot_of_(counts.size(), -1), begins_{0} {
  for (const int32_t row : wanted) {
    if (slot_of_[row] >= 0) continue;
    slot_of_[row] = static_cast<int32_t>(rows_.size());
    rows_.push_back(row);
    begins_.push_back(begins_.back() +
                      std::min(static_cast<int64_t>(counts[row]), most));
  }
  events_.resize(begins_.back());
  std::vector<int64_t> met(rows_.size(), 0);   // events of the slot so far
  std::vector<int64_t> kept(rows_.size(), 0);  // how many of them were kept
  for (int32_t user = 0; user < log.users(); ++user) {
    for (int64_t e = log.user_begins[user]; e < split.train_ends[user]; ++e) {
      const int32_t slot = slot_of_[log.items[e]];
      if (slot < 0) continue;
      const int64_t room = begins_[slot + 1] - begins_[slot];
      const auto all = static_cast<int64_t>(counts[log.items[e]]);
      // Number i of `room` places falls on event i * all / room.
      if (kept[slot] < room && met[slot] == kept[slot] * all / room) {
        events_[begins_[slot] + kept[slot]++] = e;
      }
      ++met[slot];
    }
  }
}

}  // namespace segue
