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

int64_t SequenceSampler::Head(int64_t epoch, int32_t user) const {
  const uint64_t drawn = Mix64(Mix64(seed_, static_cast<uint64_t>(epoch)),
                               static_cast<uint64_t>(user) ^ 0x637574u);
  return 1 + static_cast<int64_t>(drawn % static_cast<uint64_t>(longest_));
}

TrainingSequence SequenceSampler::Sequence(int64_t epoch,
                                           int64_t number) const {
  const auto next = std::upper_bound(begins_.begin(), begins_.end(), number);
  const int64_t i = next - begins_.begin() - 1;
  const int64_t place = number - begins_[i];
  const int32_t user = users_[i];
  const int64_t first = log_->user_begins[user];
  const int64_t all = split_->train_ends[user] - first - 1;
  if (all <= longest_) return {user, first, static_cast<int32_t>(all)};
  const int64_t head = Head(epoch, user);
  const int64_t end = std::min(head + place * longest_, all);
  const int64_t begin = place == 0 ? 0 : head + (place - 1) * int64_t{longest_};
  return {user, first + begin, static_cast<int32_t>(end - begin)};
}

int64_t SequenceSampler::Targets(const TrainingSequence& sequence) const {
  return CountTargets(*log_, sequence.begin + 1,
                      sequence.begin + 1 + sequence.length);
}

void SequenceSampler::Plan(int64_t epoch) {
  if (planned_epoch_ == epoch) return;
  planned_epoch_ = epoch;
  begins_.assign(1, 0);
  for (const int32_t user : users_) {
    const int64_t all = split_->train_ends[user] - log_->user_begins[user] - 1;
    int64_t sequences = 1;
    if (all > longest_) {
      const int64_t rest = all - Head(epoch, user);
      sequences += (rest + longest_ - 1) / longest_;
    }
    begins_.push_back(begins_.back() + sequences);
  }
  step_begins_.assign(1, 0);
  const int64_t count = begins_.back();
  int64_t targets = 0;
  for (int64_t place = 0; place < count; ++place) {
    targets += Targets(Sequence(epoch, Number(place)));
    if (targets >= targets_per_step_) {
      step_begins_.push_back(place + 1);
      targets = 0;
    }
  }
  // What is left makes a step of its own if there is something to learn in it.
  if (targets > 0) {
    step_begins_.push_back(count);
  } else {
    step_begins_.back() = count;
  }
}

int64_t SequenceSampler::Number(int64_t place) const {
  return PermuteIndex(place, begins_.back(),
                      Mix64(seed_, static_cast<uint64_t>(planned_epoch_)));
}

int64_t SequenceSampler::Steps(int64_t epoch) {
  Plan(epoch);
  return static_cast<int64_t>(step_begins_.size()) - 1;
}

std::vector<TrainingSequence> SequenceSampler::Step(int64_t epoch,
                                                    int64_t step) {
  Plan(epoch);
  std::vector<TrainingSequence> sequences;
  for (int64_t p = step_begins_[step]; p < step_begins_[step + 1]; ++p) {
    const TrainingSequence sequence = Sequence(epoch, Number(p));
    if (Targets(sequence) > 0) sequences.push_back(sequence);
  }
  return sequences;
}

}  // namespace segue
