// Draws the training examples of an epoch on the fly: no list of them is ever
// in memory.
#ifndef SEGUE_TRAINER_DATA_WINDOW_SAMPLER_H_
#define SEGUE_TRAINER_DATA_WINDOW_SAMPLER_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "segue/v1/config.pb.h"
#include "trainer/data/dataset.h"
#include "trainer/data/split.h"

namespace segue {

// An example is its target: an event that can be one (EventLog::IsTarget), with
// at least min_history training events of its user before it. A user with more
// than max_windows_per_user of them gives that many, drawn anew each epoch
// without replacement.
//
// Which example stands at which place of an epoch is a pure function of (seed,
// epoch, place): two nested Feistel permutations, so that a resumed run sees
// the examples that the stopped one would have seen. 16 bytes a user, and 4 a
// target where not every event can be one.
//
// Immutable; any thread. Borrows log and split.
class WindowSampler {
 public:
  // InvalidArgument if no user yields an example; says how many events the
  // longest user has and what would be needed.
  static absl::StatusOr<WindowSampler> Create(const EventLog& log,
                                              const Split& split,
                                              const v1::WindowConfig& config,
                                              uint64_t seed);

  // Examples in every epoch.
  int64_t examples() const { return begins_.back(); }
  // REQUIRES: 0 <= place < examples().
  EvaluationQuery Example(int64_t epoch, int64_t place) const;

 private:
  WindowSampler() = default;
  int64_t CountWindows(int64_t begin, int64_t end);

  const EventLog* log_ = nullptr;
  std::vector<int32_t> users_;    // that yield examples
  std::vector<int64_t> begins_;   // [users + 1] of each one's examples
  std::vector<int64_t> windows_;  // [users] targets to draw from
  // Where not every event can be a target: those that can, counted from their
  // user's first event, and where each user's begin.
  std::vector<uint32_t> targets_;
  std::vector<int64_t> target_begins_;  // [users]
  int32_t min_history_ = 1;
  uint64_t seed_ = 0;
};

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_WINDOW_SAMPLER_H_
