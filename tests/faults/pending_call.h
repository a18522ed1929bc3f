// A call of Retrieve under way.
#ifndef SEGUE_TESTS_FAULTS_PENDING_CALL_H_
#define SEGUE_TESTS_FAULTS_PENDING_CALL_H_

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <functional>
#include <future>
#include <string>

#include "segue/v1/retrieval.grpc.pb.h"
#include "tests/server/running_server.h"

namespace segue::testing {

// Begins when it is made. One thread.
class PendingCall {
 public:
  // The request that `text` is; the call ends after `timeout` whatever happens.
  explicit PendingCall(
      const RunningServer& server, const std::string& text = "",
      std::chrono::milliseconds timeout = std::chrono::minutes(1));
  // Cancels and waits.
  ~PendingCall();
  PendingCall(const PendingCall&) = delete;
  PendingCall& operator=(const PendingCall&) = delete;

  void Cancel() { context_.TryCancel(); }
  // Waits for its end.
  const grpc::Status& Wait() const { return ended_.get(); }
  bool has_ended() const;
  // After Wait().
  const v1::RetrieveResponse& response() const { return response_; }

 private:
  grpc::ClientContext context_;
  const v1::RetrieveRequest request_;
  v1::RetrieveResponse response_;
  std::shared_future<grpc::Status> ended_;
};

// The version that answers now; empty, and a failed test, if none does.
std::string AnsweringVersion(const RunningServer& server);

// Looks at it until it holds; false: not within a minute.
bool Await(const std::function<bool()>& condition);
// The same, that a series has a value.
bool AwaitMetric(RunningServer& server, const std::string& series,
                 double value);

// Calls of Retrieve that the server has ended, whatever their code.
double EndedCalls(RunningServer& server);

}  // namespace segue::testing

#endif  // SEGUE_TESTS_FAULTS_PENDING_CALL_H_
