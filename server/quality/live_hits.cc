#include "server/quality/live_hits.h"

#include <algorithm>
#include <iterator>

#include "absl/hash/hash.h"

namespace segue {
namespace {

// "" if the request has none.
absl::string_view NewestItem(const v1::RetrieveRequest& request) {
  if (!request.seed_item().empty()) return request.seed_item();
  if (request.history().empty()) return "";
  return *request.history().rbegin();
}

// Whether the item happened before it happened as the newest event. A history
// may or may not have the seed item as its last.
bool HappenedBefore(const v1::RetrieveRequest& request,
                    absl::string_view newest) {
  const auto& history = request.history();
  auto end = history.end();
  if (!history.empty() && *history.rbegin() == newest) --end;
  return std::find(history.begin(), end, newest) != end;
}

}  // namespace

LiveHits::LiveHits(const Options& options, Metrics& metrics)
    : options_(options),
      most_answers_(static_cast<size_t>(options.bytes / kAnswerBytes)),
      metrics_(metrics) {
  // Nodes as the allocator rounds them, and the place in the hash table.
  constexpr int64_t kListNode = sizeof(Answer) + 4 * sizeof(void*);
  constexpr int64_t kTableNode = 6 * sizeof(void*);
  static_assert(kListNode + kTableNode <= kAnswerBytes);
  // Never rehashed: that would take more bytes, and long.
  if (options_.share > 0) by_user_.reserve(most_answers_);
}

uint64_t LiveHits::HashOf(absl::string_view id) const {
  return absl::HashOf(options_.salt, id);
}

bool LiveHits::Follows(uint64_t user) const {
  // The 53 bits that a double holds: less than 1.
  return static_cast<double>(user >> 11) * 0x1p-53 < options_.share;
}

void LiveHits::Observe(const v1::RetrieveRequest& request, int32_t top_k,
                       const v1::RetrieveResponse& response,
                       Clock::time_point when) {
  if (options_.share <= 0 || request.user_id().empty()) return;
  const uint64_t user = HashOf(request.user_id());
  if (!Follows(user)) return;
  const absl::string_view newest = NewestItem(request);
  const bool again = HappenedBefore(request, newest);
  Answer next = {.user = user,
                 .when = when,
                 .newest = newest.empty() ? 0 : HashOf(newest),
                 .top_k = top_k,
                 .history_excluded = request.exclude_history()};
  next.item_count =
      static_cast<uint8_t>(std::min(response.item_ids_size(), kMostItems));
  for (int i = 0; i < next.item_count; ++i) {
    next.items[i] = HashOf(response.item_ids(i));
  }

  MutexLock lock(mu_);
  ForgetBefore(when - options_.ttl);
  const auto found = by_user_.find(user);
  if (found != by_user_.end()) {
    const auto last = found->second;
    if (last->when >= when) return;
    const bool answerable = !(last->history_excluded && again);
    if (!newest.empty() && next.newest != last->newest && answerable) {
      Label(*last, next.newest);
    }
    --last->version->answers;
    answers_.splice(answers_.begin(), answers_, last);
  } else {
    if (answers_.size() == most_answers_) ForgetOldest();
    answers_.emplace_front();
    by_user_.emplace(user, answers_.begin());
  }
  next.version = &VersionCalled(response.bundle_version());
  ++next.version->answers;
  answers_.front() = next;
}

void LiveHits::Label(const Answer& answer, uint64_t item) {
  const auto end = answer.items.begin() + answer.item_count;
  const auto place =
      std::find(answer.items.begin(), end, item) - answer.items.begin();
  const LiveHitCounters& counters = answer.version->counters;
  for (size_t i = 0; i < kLiveHitKs.size(); ++i) {
    if (answer.top_k < kLiveHitKs[i]) continue;
    counters.labels[i]->Increment();
    if (place < std::min<int>(kLiveHitKs[i], answer.item_count)) {
      counters.hits[i]->Increment();
    }
  }
}

LiveHits::Version& LiveHits::VersionCalled(const std::string& name) {
  const auto [at, fresh] = versions_.try_emplace(name);
  if (fresh) at->second.counters = metrics_.AddLiveHits(name);
  return at->second;
}

void LiveHits::ForgetOldest() {
  const Answer& oldest = answers_.back();
  --oldest.version->answers;
  by_user_.erase(oldest.user);
  answers_.pop_back();
}

void LiveHits::ForgetBefore(Clock::time_point begin) {
  while (!answers_.empty() && answers_.back().when < begin) ForgetOldest();
}

void LiveHits::SetVersions(absl::Span<const std::string> versions,
                           Clock::time_point now) {
  if (options_.share <= 0) return;
  MutexLock lock(mu_);
  ForgetBefore(now - options_.ttl);
  for (const std::string& version : versions) {
    if (!version.empty()) VersionCalled(version);
  }
  for (auto at = versions_.begin(); at != versions_.end();) {
    const bool stays = at->second.answers > 0 ||
                       std::find(versions.begin(), versions.end(), at->first) !=
                           versions.end();
    if (!stays) metrics_.RemoveLiveHits(at->second.counters);
    at = stays ? std::next(at) : versions_.erase(at);
  }
}

}  // namespace segue
