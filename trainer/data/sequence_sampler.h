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
// more than history_length targets give several sequences, cut elsewhere in
// each epoch. Users with fewer than min_history + 1 training events give none.
//
// Where not every event can be a target (EventLog::IsTarget), sequences and
// steps are cut all the same, and whoever trains leaves those positions out;
// users without a target give no sequence.
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

 private:
  SequenceSampler() = default;
  TrainingSequence Sequence(int64_t epoch, int64_t number) const;
  void Plan(int64_t epoch);

  const EventLog* log_ = nullptr;
  const Split* split_ = nullptr;
  std::vector<int32_t> users_;   // that yield sequences
  std::vector<int64_t> begins_;  // [users + 1] of each one's sequences
  int64_t targets_ = 0;
  int32_t longest_ = 1;
  int32_t targets_per_step_ = 1;
  uint64_t seed_ = 0;
  int64_t planned_epoch_ = -1;
  std::vector<int64_t> step_begins_;  // [steps + 1] places of planned_epoch_
};

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_SEQUENCE_SAMPLER_H_
