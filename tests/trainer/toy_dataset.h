// Logs and datasets of a few literal events, without files.
#ifndef SEGUE_TESTS_TRAINER_TOY_DATASET_H_
#define SEGUE_TESTS_TRAINER_TOY_DATASET_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "trainer/data/dataset.h"

namespace segue::testing {

struct ToyEvent {
  int32_t item = 0;
  uint32_t time = 0;
};

// A list of events, oldest first, for each user.
inline EventLog ToyLog(const std::vector<std::vector<ToyEvent>>& users) {
  EventLog log;
  log.user_begins.push_back(0);
  for (const std::vector<ToyEvent>& events : users) {
    for (const ToyEvent& event : events) {
      log.items.push_back(event.item);
      log.times.push_back(event.time);
    }
    log.user_begins.push_back(log.size());
  }
  return log;
}

// Users "u0", "u1", ... with these histories, oldest first, a second apart.
// Items have rows in the order of their first event.
inline Dataset ToyDataset(
    const std::vector<std::vector<std::string>>& histories) {
  Dataset data;
  std::vector<std::vector<ToyEvent>> users;
  for (const std::vector<std::string>& history : histories) {
    data.users.Add(absl::StrCat("u", users.size()));
    std::vector<ToyEvent>& events = users.emplace_back();
    for (const std::string& item : history) {
      events.push_back(
          {data.items.Add(item), static_cast<uint32_t>(events.size())});
    }
  }
  data.log = ToyLog(users);
  return data;
}

}  // namespace segue::testing

#endif  // SEGUE_TESTS_TRAINER_TOY_DATASET_H_
