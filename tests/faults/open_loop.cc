#include "tests/faults/open_loop.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <cstddef>
#include <thread>
#include <unordered_map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "core/base/mutex.h"
#include "segue/v1/retrieval.grpc.pb.h"
#include "tests/server/grpc_client.h"

namespace segue::testing {
namespace {

using Clock = std::chrono::steady_clock;

// What a server that answers nothing costs: 10 s of the default rate.
constexpr size_t kMostRunning = 20000;
// Before the first call: that a connection is not there yet is no latency.
constexpr std::chrono::seconds kConnectTimeout(10);

struct RunningCall {
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientAsyncResponseReader<v1::RetrieveResponse>> reader;
  v1::RetrieveResponse response;
  grpc::Status status;
  Clock::time_point began;
};

}  // namespace

class OpenLoop::Impl {
 public:
  explicit Impl(Options options) : options_(std::move(options)) {
    for (int i = 0; i < options_.connections; ++i) {
      const auto channel = Connect(options_.address);
      channel->WaitForConnected(std::chrono::system_clock::now() +
                                kConnectTimeout);
      stubs_.push_back(v1::RetrievalService::NewStub(channel));
    }
    collecting_ = std::thread([this] { Collect(); });
    pacing_ = std::thread([this] { Pace(); });
  }

  int64_t ended() const ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    return ended_count_;
  }

  std::vector<Ended> Stop() ABSL_LOCKS_EXCLUDED(mu_) {
    {
      MutexLock lock(mu_);
      stopping_ = true;
    }
    stop_.NotifyAll();
    if (pacing_.joinable()) {
      pacing_.join();
      // The queue ends once it has handed out the calls that run.
      queue_.Shutdown();
      collecting_.join();
    }
    MutexLock lock(mu_);
    std::vector<Ended> ended = std::exchange(ended_, {});
    std::stable_sort(
        ended.begin(), ended.end(),
        [](const Ended& a, const Ended& b) { return a.began < b.began; });
    return ended;
  }

 private:
  void Pace() {
    const Clock::time_point start = Clock::now();
    const std::chrono::duration<double> between(1 / options_.calls_per_second);
    for (int64_t i = 0; i < options_.most_calls; ++i) {
      const Clock::time_point began =
          start + std::chrono::duration_cast<Clock::duration>(
                      between * static_cast<double>(i));
      if (!WaitUntil(began)) return;
      Begin(i, began);
    }
  }

  // False: to stop.
  bool WaitUntil(Clock::time_point time) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    while (!stopping_ && Clock::now() < time) stop_.WaitUntil(mu_, time);
    return !stopping_;
  }

  void Begin(int64_t i, Clock::time_point began) ABSL_LOCKS_EXCLUDED(mu_) {
    if (!HasRoom()) {
      Note({.began = began,
            .code = grpc::StatusCode::RESOURCE_EXHAUSTED,
            .fault = "not sent: too many calls run"});
      return;
    }
    auto owned = std::make_unique<RunningCall>();
    RunningCall& call = *owned;
    call.began = began;
    call.context.set_deadline(std::chrono::system_clock::now() +
                              options_.timeout);
    call.reader = stubs_[static_cast<size_t>(i) % stubs_.size()]->AsyncRetrieve(
        &call.context, options_.request(i), &queue_);
    {
      MutexLock lock(mu_);
      running_.emplace(&call, std::move(owned));
    }
    call.reader->Finish(&call.response, &call.status, &call);
  }

  bool HasRoom() const ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    return running_.size() < kMostRunning;
  }

  void Collect() {
    void* tag = nullptr;
    bool ok = false;  // always, at the end of a call
    while (queue_.Next(&tag, &ok)) End(static_cast<RunningCall*>(tag));
  }

  void End(RunningCall* tag) ABSL_LOCKS_EXCLUDED(mu_) {
    const Clock::time_point now = Clock::now();
    std::unique_ptr<RunningCall> call;
    {
      MutexLock lock(mu_);
      const auto at = running_.find(tag);
      call = std::move(at->second);
      running_.erase(at);
    }
    Ended ended = {.began = call->began,
                   .took = now - call->began,
                   .code = call->status.error_code()};
    if (!call->status.ok()) {
      ended.fault =
          absl::StrCat("code ", ended.code, ": ", call->status.error_message());
    } else if (options_.check) {
      ended.fault = options_.check(call->response);
    }
    Note(std::move(ended));
  }

  void Note(Ended ended) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    ++ended_count_;
    ended_.push_back(std::move(ended));
  }

  const Options options_;
  std::vector<std::unique_ptr<v1::RetrievalService::Stub>> stubs_;
  grpc::CompletionQueue queue_;

  mutable Mutex mu_;
  CondVar stop_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::unordered_map<RunningCall*, std::unique_ptr<RunningCall>> running_
      ABSL_GUARDED_BY(mu_);
  int64_t ended_count_ ABSL_GUARDED_BY(mu_) = 0;
  std::vector<Ended> ended_ ABSL_GUARDED_BY(mu_);

  std::thread collecting_;
  std::thread pacing_;
};

OpenLoop::OpenLoop(Options options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}

OpenLoop::~OpenLoop() { Stop(); }

int64_t OpenLoop::ended() const { return impl_->ended(); }

std::vector<Ended> OpenLoop::Stop() { return impl_->Stop(); }

double QuantileMs(const std::vector<Ended>& calls, double share) {
  if (calls.empty()) return 0;
  std::vector<double> took;
  took.reserve(calls.size());
  for (const Ended& call : calls) {
    took.push_back(
        std::chrono::duration<double, std::milli>(call.took).count());
  }
  const auto rank =
      static_cast<size_t>(share * static_cast<double>(took.size()));
  const auto at = took.begin() +
                  static_cast<std::ptrdiff_t>(std::min(rank, took.size() - 1));
  std::nth_element(took.begin(), at, took.end());
  return *at;
}

}  // namespace segue::testing
