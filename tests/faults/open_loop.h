// A client that does not wait: calls begin at their times, whether or not those
// before them are answered, so that a slow server is not asked more slowly.
#ifndef SEGUE_TESTS_FAULTS_OPEN_LOOP_H_
#define SEGUE_TESTS_FAULTS_OPEN_LOOP_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "segue/v1/retrieval.pb.h"

namespace segue::testing {

// One call that has ended, as its client saw it.
struct Ended {
  std::chrono::steady_clock::time_point began;  // when it was to begin
  std::chrono::steady_clock::duration took{};   // since then
  int code = 0;                                 // grpc::StatusCode
  // What is wrong with an answer, or what an error says; empty: nothing.
  std::string fault;
};

// Calls of Retrieve to loopback, from threads of its own. Where 20,000 run
// already, one more ends at once as RESOURCE_EXHAUSTED. One thread calls it.
class OpenLoop {
 public:
  struct Options {
    std::string address;  // host:port
    double calls_per_second = 2000;
    int connections = 8;
    std::chrono::milliseconds timeout{10000};  // of a call
    // Of call i = 0, 1, ...; called on one thread.
    std::function<v1::RetrieveRequest(int64_t i)> request;
    // What is wrong with the answer to a call that is OK; empty: nothing.
    // Any thread.
    std::function<std::string(const v1::RetrieveResponse&)> check;
    // An end, should Stop() never come.
    int64_t most_calls = 1000000;
  };
  // Begins once it is connected, or, if that takes too long, all the same.
  explicit OpenLoop(Options options);
  // Stops.
  ~OpenLoop();
  OpenLoop(const OpenLoop&) = delete;
  OpenLoop& operator=(const OpenLoop&) = delete;

  // How many calls have ended.
  int64_t ended() const;
  // Begins no more, waits for those that run. All that ended, by their
  // beginnings; nothing the second time.
  std::vector<Ended> Stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// The quantile of `took` below which `share` of the calls are, in milliseconds;
// 0 of none.
double QuantileMs(const std::vector<Ended>& calls, double share);

}  // namespace segue::testing

#endif  // SEGUE_TESTS_FAULTS_OPEN_LOOP_H_
