#include "tests/faults/offered_load.h"

#include <algorithm>
#include <cstdint>
#include <future>
#include <iterator>

namespace segue::testing {

std::vector<Ended> Offer(RunningServer& server, const OfferedLoad& load) {
  const std::chrono::duration<double> seconds = load.time;
  const auto calls =
      static_cast<int64_t>(load.calls_per_second * seconds.count());
  std::promise<void> last_began;
  OpenLoop loop({.address = server.server().grpc_address(),
                 .calls_per_second = load.calls_per_second,
                 .connections = load.connections,
                 .timeout = load.timeout,
                 .request =
                     [&](int64_t i) {
                       if (i + 1 == calls) last_began.set_value();
                       v1::RetrieveRequest request;
                       request.set_top_k(5);
                       return request;
                     },
                 .check = {},
                 .most_calls = calls});
  last_began.get_future().wait();
  return loop.Stop();
}

std::vector<Ended> WithCode(const std::vector<Ended>& calls,
                            grpc::StatusCode code) {
  std::vector<Ended> with;
  std::copy_if(calls.begin(), calls.end(), std::back_inserter(with),
               [&](const Ended& call) { return call.code == code; });
  return with;
}

std::set<int> CodesOf(const std::vector<Ended>& calls) {
  std::set<int> codes;
  for (const Ended& call : calls) codes.insert(call.code);
  return codes;
}

double Goodput(const std::vector<Ended>& calls) {
  const std::vector<Ended> good = WithCode(calls, grpc::OK);
  if (good.empty()) return 0;
  auto last = calls.front().began;
  for (const Ended& call : good) last = std::max(last, call.began + call.took);
  const std::chrono::duration<double> time = last - calls.front().began;
  return static_cast<double>(good.size()) / time.count();
}

}  // namespace segue::testing
