#include "trainer/data/window_sampler.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "trainer/base/random.h"
#include "trainer/data/permute_index.h"

namespace segue {

// The targets among a user's training events [begin, end).
int64_t WindowSampler::CountWindows(int64_t begin, int64_t end) {
  const int64_t first = begin + min_history_;
  if (log_->targets.empty()) return std::max<int64_t>(end - first, 0);
  const size_t before = targets_.size();
  for (int64_t e = first; e < end; ++e) {
    if (log_->IsTarget(e)) targets_.push_back(static_cast<uint32_t>(e - begin));
  }
  return static_cast<int64_t>(targets_.size() - before);
}

absl::StatusOr<WindowSampler> WindowSampler::Create(
    const EventLog& log, const Split& split, const v1::WindowConfig& config,
    uint64_t seed) {
  if (config.max_windows_per_user() < 1 || config.min_history() < 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "window: max_windows_per_user is ", config.max_windows_per_user(),
        " (must be at least 1), min_history is ", config.min_history(),
        " (must not be negative)"));
  }
  WindowSampler sampler;
  sampler.log_ = &log;
  sampler.min_history_ = config.min_history();
  sampler.seed_ = seed;
  sampler.begins_.push_back(0);
  int64_t longest = 0;
  for (int32_t user = 0; user < log.users(); ++user) {
    const int64_t events = split.train_ends[user] - log.user_begins[user];
    longest = std::max(longest, events);
    const auto first_target = static_cast<int64_t>(sampler.targets_.size());
    const int64_t windows =
        sampler.CountWindows(log.user_begins[user], split.train_ends[user]);
    if (windows == 0) continue;
    sampler.users_.push_back(user);
    sampler.target_begins_.push_back(first_target);
    sampler.windows_.push_back(windows);
    sampler.begins_.push_back(
        sampler.begins_.back() +
        std::min<int64_t>(windows, config.max_windows_per_user()));
  }
  if (sampler.users_.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "no user yields a training example: the longest has ", longest,
        " training events, window.min_history ", config.min_history(),
        " needs ", config.min_history() + int64_t{1},
        log.targets.empty() ? ""
                            : ", or events.target_filters leave no target"));
  }
  return sampler;
}

EvaluationQuery WindowSampler::Example(int64_t epoch, int64_t place) const {
  const uint64_t epoch_key = Mix64(seed_, static_cast<uint64_t>(epoch));
  const int64_t example = PermuteIndex(place, examples(), epoch_key);
  const auto next = std::upper_bound(begins_.begin(), begins_.end(), example);
  const int64_t i = next - begins_.begin() - 1;
  const int32_t user = users_[i];
  int64_t window = example - begins_[i];
  if (begins_[i + 1] - begins_[i] < windows_[i]) {
    // The first few of a permutation: a draw without replacement.
    window = PermuteIndex(window, windows_[i],
                          Mix64(epoch_key, static_cast<uint64_t>(user)));
  }
  if (!targets_.empty()) {
    return {user,
            log_->user_begins[user] + targets_[target_begins_[i] + window]};
  }
  return {user, log_->user_begins[user] + min_history_ + window};
}

}  // namespace segue
