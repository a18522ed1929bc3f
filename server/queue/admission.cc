#include "server/queue/admission.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace segue {
namespace {

// Payloads of a status: milliseconds, and the reason's number.
constexpr char kRetryAfter[] = "segue/retry-after-ms";
constexpr char kWhyShed[] = "segue/why-shed";

// The newest group's part of the mean. A change of load is followed within some
// twenty groups.
constexpr double kNewest = 0.1;
constexpr std::chrono::milliseconds kLeastRetry{1};
constexpr std::chrono::milliseconds kMostRetry{10000};

std::optional<int64_t> Number(const absl::Status& status, const char* name) {
  const auto payload = status.GetPayload(name);
  int64_t number = 0;
  if (!payload.has_value() ||
      !absl::SimpleAtoi(std::string(*payload), &number)) {
    return std::nullopt;
  }
  return number;
}

}  // namespace

std::optional<std::chrono::milliseconds> RetryAfter(
    const absl::Status& status) {
  const auto number = Number(status, kRetryAfter);
  if (!number.has_value()) return std::nullopt;
  return std::chrono::milliseconds(*number);
}

absl::Status ToStatus(const Refusal& refusal) {
  absl::Status status = absl::ResourceExhaustedError(absl::StrCat(
      refusal.queued, " requests wait already",
      refusal.why == Shed::kDeadline ? ", and the deadline would pass meanwhile"
                                     : "",
      "; retry in ", refusal.retry.count(), " ms or later, with backoff"));
  status.SetPayload(kRetryAfter,
                    absl::Cord(absl::StrCat(refusal.retry.count())));
  status.SetPayload(kWhyShed,
                    absl::Cord(absl::StrCat(static_cast<int>(refusal.why))));
  return status;
}

Shed WhyShed(const absl::Status& status) {
  return static_cast<Shed>(Number(status, kWhyShed).value_or(0));
}

Admission::Admission(int max_queued, int workers)
    : max_queued_(max_queued), workers_(workers) {}

Admission::Clock::duration Admission::TimeFor(int queued) const {
  return std::chrono::duration_cast<Clock::duration>(query_time_ * queued /
                                                     workers_);
}

std::optional<Refusal> Admission::Admit(int queued, Deadline deadline,
                                        Clock::time_point now) {
  if (queued >= max_queued_) {
    pressed_until_ = now + kPressedFor;
    return Refuse(Shed::kQueueFull, queued);
  }
  if (queued == 0 || deadline.Expired(now)) return std::nullopt;
  const auto left = deadline.when() - now;
  // Where some wait, the workers are at others, whose rest comes first; and it
  // is answered with its group. To hope for less would, in an overload, fill
  // the queue with requests that are all answered a moment too late.
  const auto needed =
      TimeFor(queued) +
      std::chrono::duration_cast<Clock::duration>(2 * group_time_);
  if (2 * queued > max_queued_ || needed > left / 2) {
    pressed_until_ = now + kPressedFor;
  }
  if (needed > left) return Refuse(Shed::kDeadline, queued);
  return std::nullopt;
}

Refusal Admission::Refuse(Shed why, int queued) {
  // When the queue has been worked off, and later by up to as long: clients
  // that were refused together should not come again together.
  const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(
      TimeFor(queued) * std::uniform_real_distribution<double>(1, 2)(jitter_));
  return {.why = why,
          .queued = queued,
          .retry = std::clamp(wait, kLeastRetry, kMostRetry)};
}

void Admission::Learn(int queries, Clock::duration took) {
  const auto learn = [](std::chrono::duration<double> newest,
                        std::chrono::duration<double>& mean) {
    mean = mean.count() == 0 ? newest : mean + kNewest * (newest - mean);
  };
  learn(std::chrono::duration<double>(took) / queries, query_time_);
  learn(took, group_time_);
}

}  // namespace segue
