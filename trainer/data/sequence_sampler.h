// Cuts the users' histories into the sequences that an epoch trains on.
#ifndef SEGUE_TRAINER_DATA_SEQUENCE_SAMPLER_H_
#define SEGUE_TRAINER_DATA_SEQUENCE_SAMPLER_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "segue/v1/config.pb.h"
#include "trainer/data/dataset.h"
#include "trainer/data/split.h"

namespace segue {

// Events [begin, begin + length) of a user, each of which is to say what the
// next one is: the targets are [begin + 1, begin + length].
struct TrainingSequence {
  int32_t user = 0;
  int64_t begin = 0;  // event, index into the log
  int32_t length = 0;
};

// Every event of a user but the first is a target once an epoch. Users with
// more than history_length targets give several sequences: the first has a
// drawn length, so that all cuts move from one epoch to the next. Users with
// fewer than min_history + 1 training events give none.
//
// Where not every event can be a target (EventLog::IsTarget), sequences are cut
// all the same, and whoever trains leaves those positions out; sequences
// without any target are left out here.
//
// Which sequences a step trains on is a pure function of (seed, epoch, step).
// Borrows log and split. One thread.
class SequenceSampler {
 public:
  // InvalidArgument if no user yields a sequence.
  static absl::StatusOr<SequenceSampler> Create(const EventLog& log,
                                                const Split& split,
                                                const v1::WindowConfig& config,
                                                int32_t targets_per_step,
                                                uint64_t seed);

  // Targets in every epoch, those that IsTarget().
  int64_t targets() const { return targets_; }
  // Steps of the epoch: each takes sequences until it has targets_per_step
  // targets; the last one may have fewer.
  int64_t Steps(int64_t epoch);
  // REQUIRES: 0 <= step < Steps(epoch).
  std::vector<TrainingSequence> Step(int64_t epoch, int64_t step);
  // Those of a sequence that IsTarget().
  int64_t Targets(const TrainingSequence& sequence) const;

 private:
  SequenceSampler() = default;
  void Plan(int64_t epoch);
  // Of the planned epoch.
  int64_t Number(int64_t place) const;
  TrainingSequence Sequence(int64_t epoch, int64_t number) const;
  // Length of the first of a user's several sequences.
  int64_t Head(int64_t epoch, int32_t user) const;

  const EventLog* log_ = nullptr;
  const Split* split_ = nullptr;
  std::vector<int32_t> users_;  // that yield sequences
  int64_t targets_ = 0;
  int32_t longest_ = 1;
  int32_t targets_per_step_ = 1;
  uint64_t seed_ = 0;
  int64_t planned_epoch_ = -1;
  // Of planned_epoch_: where each user's sequences begin, [users + 1], and the
  // places of each step, [steps + 1].
  std::vector<int64_t> begins_;
  std::vector<int64_t> step_begins_;
};

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_SEQUENCE_SAMPLER_H_
