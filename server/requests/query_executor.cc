#include "server/requests/query_executor.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/retrieval/retriever.h"

namespace segue {
namespace {

using Clock = std::chrono::steady_clock;

// One query of a job, resolved.
struct Query {
  size_t job = 0;  // within the pass
  int index = 0;   // within the job
  ResolvedQuery resolved;
};

// A pass over one group. Lives for one Execute().
class Pass {
 public:
  Pass(std::shared_ptr<const ServingSnapshot> snapshot, Metrics& metrics,
       const AnswerObservers& observers, double target_overlap)
      : snapshot_(std::move(snapshot)),
        metrics_(metrics),
        observers_(observers),
        effort_{.raised = observers.live_overlap.raised(*snapshot_),
                .target_overlap = target_overlap} {}

  // Completes the job, or leaves its queries to be answered.
  void Admit(Job* job) {
    metrics_.ObserveStage(Stage::kQueue, Clock::now() - job->queued_at);
    open_.push_back(job);
    const size_t place = open_.size() - 1;
    if (!StillOpen(place)) return;
    if (job->query_count() == 0) {
      Complete(place, job->Run(*snapshot_));
      return;
    }
    const absl::Status status = Resolve(place);
    if (!status.ok()) Complete(place, status);
  }

  void AnswerAll(size_t max_batch) {
    for (size_t begin = 0; begin < queries_.size(); begin += max_batch) {
      const size_t end = std::min(begin + max_batch, queries_.size());
      AnswerChunk(begin, end);
    }
  }

 private:
  absl::Status Resolve(size_t place) {
    const Job* job = open_[place];
    std::vector<Query> resolved(job->query_count());
    for (int i = 0; i < job->query_count(); ++i) {
      // Filters may take a millisecond each.
      if (i > 0) RETURN_IF_ERROR(job->Wanted());
      const auto start = Clock::now();
      auto query = ResolveQuery(*snapshot_, job->query(i), effort_);
      ObserveResolve(Clock::now() - start, query);
      if (!query.ok() && job->query_count() > 1) {
        return absl::Status(
            query.status().code(),
            absl::StrCat("requests[", i, "].", query.status().message()));
      }
      RETURN_IF_ERROR(query.status());
      resolved[i] = {place, i, *std::move(query)};
    }
    std::move(resolved.begin(), resolved.end(), std::back_inserter(queries_));
    return absl::OkStatus();
  }

  void ObserveResolve(Clock::duration took,
                      const absl::StatusOr<ResolvedQuery>& query) {
    if (query.ok() && query->allowed.has_value()) {
      metrics_.ObserveStage(Stage::kFilter, query->filter_time);
      took -= query->filter_time;
    }
    metrics_.ObserveStage(Stage::kResolve, took);
  }

  void AnswerChunk(size_t begin, size_t end) {
    std::vector<const ResolvedQuery*> chunk;
    std::vector<const Query*> of;
    for (size_t i = begin; i < end; ++i) {
      if (!StillOpen(queries_[i].job)) continue;
      chunk.push_back(&queries_[i].resolved);
      of.push_back(&queries_[i]);
    }
    if (chunk.empty()) return;
    std::vector<float> vectors;
    const absl::Status embedded = Embed(chunk, vectors);
    const size_t d = snapshot_->shape.dimension;
    for (size_t i = 0; i < of.size(); ++i) {
      absl::Status status = embedded;
      std::vector<float> alone;
      absl::Span<const float> vector;
      if (status.ok()) {
        vector = absl::MakeSpan(vectors).subspan(i * d, d);
      } else if (of.size() > 1) {
        status = Embed({chunk[i]}, alone);
        vector = alone;
      }
      Answer(*of[i], status, vector);
    }
  }

  absl::Status Embed(const std::vector<const ResolvedQuery*>& chunk,
                     std::vector<float>& vectors) {
    const auto start = Clock::now();
    absl::Status status = EmbedQueries(*snapshot_, chunk, vectors);
    metrics_.ObserveEmbed(static_cast<int>(chunk.size()), Clock::now() - start);
    return status;
  }

  void Answer(const Query& query, absl::Status status,
              absl::Span<const float> vector) {
    // A job of several queries may have failed by an earlier one.
    if (!StillOpen(query.job)) return;
    Job* job = open_[query.job];
    v1::RetrieveResponse& response = job->response(query.index);
    if (status.ok()) {
      const auto start = Clock::now();
      const auto found =
          SearchAndFill(*snapshot_, vector, query.resolved, response);
      status = found.status();
      if (found.ok()) {
        metrics_.ObserveSearch(response.found_by(), Clock::now() - start);
        if (found->refining > Clock::duration::zero()) {
          metrics_.ObserveStage(Stage::kRefine, found->refining);
        }
        observers_.live_overlap.Offer(snapshot_, vector, query.resolved,
                                      *found);
        observers_.live_hits.Observe(job->query(query.index),
                                     query.resolved.top_k, response,
                                     job->queued_at);
        if (job->bundle_version().empty()) {
          observers_.shadow_traffic.Offer(snapshot_, job->query(query.index));
        }
      }
    }
    if (status.ok()) {
      metrics_.CountUnknownHistory(response.unknown_history());
      if (query.resolved.lowered) metrics_.CountLowered();
    }
    const bool last = query.index + 1 == job->query_count();
    if (!status.ok() || last) Complete(query.job, status);
  }

  // Whether an answer is still to be given; completes a job that nobody wants
  // any more.
  bool StillOpen(size_t place) {
    if (open_[place] == nullptr) return false;
    const absl::Status wanted = open_[place]->Wanted();
    if (!wanted.ok()) Complete(place, wanted);
    return wanted.ok();
  }

  // No answer is sent late.
  void Complete(size_t place, const absl::Status& status) {
    Job* job = std::exchange(open_[place], nullptr);
    job->Complete(status.ok() ? job->Wanted() : status);
  }

  const std::shared_ptr<const ServingSnapshot> snapshot_;
  Metrics& metrics_;
  const AnswerObservers& observers_;
  const LiveEffort effort_;  // of this pass
  std::vector<Query> queries_;
  std::vector<Job*> open_;  // null once completed: the job may be gone
};

}  // namespace

void QueryExecutor::Execute(absl::Span<Job* const> jobs, bool pressed) const {
  const SnapshotPtr live = snapshots_.Get();
  std::vector<Job*> by_live;
  std::map<absl::string_view, std::vector<Job*>> by_others;
  for (Job* job : jobs) {
    const absl::string_view version = job->bundle_version();
    if (version.empty() || (live != nullptr && version == live->version)) {
      by_live.push_back(job);
    } else {
      by_others[version].push_back(job);
    }
  }
  // What a version is called is gone with the first of its jobs.
  std::vector<std::pair<SnapshotPtr, std::vector<Job*>>> groups;
  groups.emplace_back(live, std::move(by_live));
  for (auto& [version, group] : by_others) {
    groups.emplace_back(snapshots_.Get(version), std::move(group));
  }
  for (auto& [snapshot, group] : groups) {
    ExecuteBy(snapshot, group, pressed);
  }
}

void QueryExecutor::ExecuteBy(const SnapshotPtr& snapshot,
                              absl::Span<Job* const> jobs, bool pressed) const {
  if (snapshot == nullptr) {
    for (Job* job : jobs) {
      job->Complete(
          job->bundle_version().empty()
              ? absl::UnavailableError(
                    "no bundle is loaded yet; retry later, with backoff")
              : absl::NotFoundError(absl::StrCat(
                    "bundle_version: ", job->bundle_version().substr(0, 64),
                    " is neither live nor held, and no shadow")));
    }
    return;
  }
  const bool lower =
      pressed && options_.pressed_overlap < snapshot->target_overlap;
  Pass pass(snapshot, metrics_, observers_,
            lower ? options_.pressed_overlap : 0);
  for (Job* job : jobs) pass.Admit(job);
  pass.AnswerAll(options_.max_batch);
}

}  // namespace segue
