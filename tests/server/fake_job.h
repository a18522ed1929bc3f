// A Job that a test makes, watches and keeps.
#ifndef SEGUE_TESTS_SERVER_FAKE_JOB_H_
#define SEGUE_TESTS_SERVER_FAKE_JOB_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "server/queue/job.h"
#include "tests/server/text_message.h"

namespace segue::testing {

// Public fields: the test sets the upper ones before, and reads the lower ones
// after whoever works on it has ended.
struct FakeJob : public Job {
  // Without queries: a job to Run().
  explicit FakeJob(const std::vector<std::string>& queries = {}) {
    for (const std::string& text : queries) {
      requests.push_back(FromText<v1::RetrieveRequest>(text));
    }
    responses.resize(queries.size());
  }

  Deadline deadline() const override { return ends; }
  bool IsCancelled() const override { return cancelled; }
  int query_count() const override { return static_cast<int>(requests.size()); }
  const v1::RetrieveRequest& query(int i) const override {
    ++queries_read;
    return requests[i];
  }
  v1::RetrieveResponse& response(int i) override { return responses[i]; }
  absl::string_view bundle_version() const override { return version; }
  absl::Status Run(const ServingSnapshot& snapshot) override {
    ++runs;
    run_version = snapshot.version;
    return on_run ? on_run() : absl::OkStatus();
  }
  void Complete(const absl::Status& status) override {
    statuses.push_back(status);
  }

  std::vector<v1::RetrieveRequest> requests;
  std::string version;
  Deadline ends = Deadline::Infinite();
  bool cancelled = false;
  std::function<absl::Status()> on_run;

  std::vector<v1::RetrieveResponse> responses;
  std::vector<absl::Status> statuses;  // one, if all is well
  mutable int queries_read = 0;
  int runs = 0;
  std::string run_version;
};

inline Deadline Past() {
  return Deadline::At(Deadline::Clock::time_point::min());
}

}  // namespace segue::testing

#endif  // SEGUE_TESTS_SERVER_FAKE_JOB_H_
