// Calls at a rate for a while, and what became of them.
#ifndef SEGUE_TESTS_FAULTS_OFFERED_LOAD_H_
#define SEGUE_TESTS_FAULTS_OFFERED_LOAD_H_

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <set>
#include <vector>

#include "tests/faults/open_loop.h"
#include "tests/server/running_server.h"

namespace segue::testing {

struct OfferedLoad {
  double calls_per_second = 100;
  std::chrono::milliseconds time{1000};
  std::chrono::milliseconds timeout{10000};  // of a call
  int connections = 4;
};

// Begins as many calls as that is; all of them, when the last has ended, by
// their beginnings.
std::vector<Ended> Offer(RunningServer& server, const OfferedLoad& load);

std::vector<Ended> WithCode(const std::vector<Ended>& calls,
                            grpc::StatusCode code);
std::set<int> CodesOf(const std::vector<Ended>& calls);

// Calls that were OK, a second, from the first call's beginning to the last
// OK's end.
double Goodput(const std::vector<Ended>& calls);

}  // namespace segue::testing

#endif  // SEGUE_TESTS_FAULTS_OFFERED_LOAD_H_
