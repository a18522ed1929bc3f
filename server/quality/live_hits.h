// Watches whether live answers had what their users turned to next.
#ifndef SEGUE_SERVER_QUALITY_LIVE_HITS_H_
#define SEGUE_SERVER_QUALITY_LIVE_HITS_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <string>
#include <unordered_map>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "core/base/mutex.h"
#include "segue/v1/retrieval.pb.h"
#include "server/metrics/metrics.h"

namespace segue {

// Follows a share of the users, always the same ones, and remembers the last
// answer of each. Where the next request comes with another newest item
// (`seed_item`, else the last of `history`), that item is the answer's label:
// was it among the first 10, the first 100? Counted by the version that gave
// the answer: segue_live_hits_total over segue_live_hit_labels_total is live
// hit@k, one relevant item a query as in the trainer's NEXT_ITEM. An item that
// the catalogue lacks is a miss. What a filter, rules of diversity or
// `exclude_item_ids` kept out of the answer is one, too.
//
// It sees the requests of this server alone, so it needs sticky routing: a user
// whose requests are spread over servers is labelled late, or never.
//
// Keeps no ids but hashes of them, salted, each for the time to live at most
// (until the next request that is followed). Any thread. One lock for all:
// only users that are followed take it, for one to three microseconds, beside a
// search of hundreds.
class LiveHits {
 public:
  using Clock = std::chrono::steady_clock;
  struct Options {
    double share = 0;             // of the users; 0: off
    std::chrono::seconds ttl{0};  // an answer is labelled within
    int64_t bytes = 0;            // for all that is remembered
    uint64_t salt = 0;            // of the hashes; nobody else's
  };
  // That one answer takes, at most, with what finds it.
  static constexpr int64_t kAnswerBytes = 1024;

  // REQUIRES: where it is not off, `bytes` has room for one answer.
  LiveHits(const Options& options, Metrics& metrics);
  LiveHits(const LiveHits&) = delete;
  LiveHits& operator=(const LiveHits&) = delete;

  // A request that came at `when` and asked for `top_k` items is answered.
  // Labels the answer before. Of requests that came together (in a batch), and
  // of those that overtake one another, only the newest counts, the first of
  // several.
  void Observe(const v1::RetrieveRequest& request, int32_t top_k,
               const v1::RetrieveResponse& response, Clock::time_point when)
      ABSL_LOCKS_EXCLUDED(mu_);

  // These versions are in memory from `now` on; an empty name is none. The
  // series of others go; where answers of theirs may still be labelled, with a
  // later call.
  void SetVersions(absl::Span<const std::string> versions,
                   Clock::time_point now) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  static constexpr int kMostItems = 100;
  struct Version {
    LiveHitCounters counters;
    int64_t answers = 0;  // remembered
  };
  // Of one user, the last.
  struct Answer {
    uint64_t user = 0;
    Clock::time_point when;
    uint64_t newest = 0;  // item of the request; 0: it had none
    Version* version = nullptr;
    int32_t top_k = 0;
    bool history_excluded = false;
    uint8_t item_count = 0;
    std::array<uint64_t, kMostItems> items{};  // the first item_count
  };

  uint64_t HashOf(absl::string_view id) const;
  bool Follows(uint64_t user) const;
  static void Label(const Answer& answer, uint64_t item);
  Version& VersionCalled(const std::string& name)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ForgetOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ForgetBefore(Clock::time_point begin) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Options options_;
  const size_t most_answers_;
  Metrics& metrics_;
  Mutex mu_;
  std::map<std::string, Version> versions_ ABSL_GUARDED_BY(mu_);
  std::list<Answer> answers_ ABSL_GUARDED_BY(mu_);  // newest first
  std::unordered_map<uint64_t, std::list<Answer>::iterator> by_user_
      ABSL_GUARDED_BY(mu_);
};

}  // namespace segue

#endif  // SEGUE_SERVER_QUALITY_LIVE_HITS_H_
