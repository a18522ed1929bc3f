// A call on its way through the worker pool.
#ifndef SEGUE_SERVER_QUEUE_JOB_H_
#define SEGUE_SERVER_QUEUE_JOB_H_

#include <chrono>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/base/deadline.h"
#include "core/retrieval/serving_snapshot.h"
#include "segue/v1/retrieval.pb.h"

namespace segue {

// What workers know of a call; nothing of gRPC. It owns itself: whoever takes
// one calls Complete() exactly once and does not touch it afterwards.
//
// One thread at a time, but IsCancelled() may change under it.
class Job {
 public:
  virtual ~Job() = default;

  virtual Deadline deadline() const = 0;
  virtual bool IsCancelled() const = 0;

  // The queries to embed and search, together with those of other jobs. A job
  // without any is run by Run().
  virtual int query_count() const = 0;
  virtual const v1::RetrieveRequest& query(int i) const = 0;
  virtual v1::RetrieveResponse& response(int i) = 0;

  // That has to answer; empty: the live one.
  virtual absl::string_view bundle_version() const { return ""; }

  virtual absl::Status Run(const ServingSnapshot& snapshot) = 0;

  // When it joined the queue.
  std::chrono::steady_clock::time_point queued_at;

  // Sends the answer, or the error. The job may be gone when this returns.
  virtual void Complete(const absl::Status& status) = 0;

  // OK while somebody waits for the answer. The deadline is asked first: gRPC,
  // and clients, cancel what outlives it, and that is no wish of anybody's.
  absl::Status Wanted() const {
    if (deadline().Expired()) {
      return absl::DeadlineExceededError("the deadline passed in the server");
    }
    if (IsCancelled()) return absl::CancelledError("the client cancelled");
    return absl::OkStatus();
  }
};

}  // namespace segue

#endif  // SEGUE_SERVER_QUEUE_JOB_H_
