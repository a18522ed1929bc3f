#include "trainer/data/sequence_sampler.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "trainer/base/random.h"
#include "trainer/data/permute_index.h"

namespace segue {
namespace {

// Events of [begin, end) that can be targets.
int64_t CountTargets(const EventLog& log, int64_t begin, int64_t end) {
  if (log.targets.empty()) return end - begin;
  return std::count(log.targets.begin() + begin, log.targets.begin() + end,
                    true);
}

}  // namespace

absl::StatusOr<SequenceSampler> SequenceSampler::Create(
    const EventLog& log, const Split& split, const v1::WindowConfig& config,
    int32_t targets_per_step, uint64_t seed) {
  SequenceSampler sampler;
  sampler.log_ = &log;
  sampler.split_ = &split;
  sampler.longest_ = config.history_length();
  sampler.targets_per_step_ = targets_per_step;
  sampler.seed_ = seed;
  sampler.begins_.push_back(0);
  const int64_t fewest = std::max(config.min_history(), 1) + int64_t{1};
  int64_t most = 0;
  for (int32_t user = 0; user < log.users(); ++user) {
    const int64_t events = split.train_ends[user] - log.user_begins[user];
    most = std::max(most, events);
    if (events < fewest) continue;
    const int64_t targets =
        CountTargets(log, log.user_begins[user] + 1, split.train_ends[user]);
    if (targets == 0) continue;
    sampler.users_.push_back(user);
    sampler.targets_ += targets;
    const int64_t sequences =
        (events - 1 + sampler.longest_ - 1) / sampler.longest_;
    sampler.begins_.push_back(sampler.begins_.back() + sequences);
  }
  if (sampler.users_.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "no user yields a training sequence: the longest has ", most,
        " training events, window.min_history needs ", fewest,
        log.targets.empty() ? ""
                            : ", or events.target_filters leave no target"));
  }
  return sampler;
}

TrainingSequence SequenceSampler::Sequence(int64_t epoch,
                                           int64_t number) const {
  const auto next = std::upper_bound(begins_.begin(), begins_.end(), number);
  const int64_t i = next - begins_.begin() - 1;
  const int64_t count = begins_[i + 1] - begins_[i],
                place = number - begins_[i];
  const int32_t user = users_[i];
  const int64_t first = log_->user_begins[user];
  const int64_t targets = split_->train_ends[user] - first - 1;
  if (count == 1) return {user, first, static_cast<int32_t>(targets)};
  // The first sequence has a drawn length, which moves the cuts; the rest are
  // whole but for the second one, which takes up the slack.
  const int64_t least = targets - (count - 1) * longest_;
  const int64_t most =
      std::min<int64_t>(longest_, targets - (count - 2) * longest_ - 1);
  const uint64_t drawn = Mix64(Mix64(seed_, static_cast<uint64_t>(epoch)),
                               static_cast<uint64_t>(user) ^ 0x637574u);
  const int64_t head = least + static_cast<int64_t>(drawn % (most - least + 1));
  if (place == 0) return {user, first, static_cast<int32_t>(head)};
  const int64_t end = targets - (count - 1 - place) * longest_;
  const int64_t begin = place == 1 ? head : end - longest_;
  return {user, first + begin, static_cast<int32_t>(end - begin)};
}

void SequenceSampler::Plan(int64_t epoch) {
  if (planned_epoch_ == epoch) return;
  planned_epoch_ = epoch;
  step_begins_.assign(1, 0);
  const int64_t count = begins_.back();
  const uint64_t key = Mix64(seed_, static_cast<uint64_t>(epoch));
  int64_t targets = 0;
  for (int64_t place = 0; place < count; ++place) {
    targets += Sequence(epoch, PermuteIndex(place, count, key)).length;
    if (targets >= targets_per_step_ || place + 1 == count) {
      step_begins_.push_back(place + 1);
      targets = 0;
    }
  }
}

int64_t SequenceSampler::Steps(int64_t epoch) {
  Plan(epoch);
  return static_cast<int64_t>(step_begins_.size()) - 1;
}

std::vector<TrainingSequence> SequenceSampler::Step(int64_t epoch,
                                                    int64_t step) {
  Plan(epoch);
  const uint64_t key = Mix64(seed_, static_cast<uint64_t>(epoch));
  std::vector<TrainingSequence> sequences;
  for (int64_t p = step_begins_[step]; p < step_begins_[step + 1]; ++p) {
    sequences.push_back(Sequence(epoch, PermuteIndex(p, begins_.back(), key)));
  }
  return sequences;
}

}  // namespace segue
