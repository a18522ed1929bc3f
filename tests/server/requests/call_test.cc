// A call on its way from gRPC to the workers and back: the real service, with
// workers that do what a test says.
#include "server/requests/call.h"

#include <chrono>
#include <functional>
#include <latch>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/requests/retrieval_service.h"
#include "tests/server/grpc_client.h"
#include "tests/server/metric_values.h"

namespace segue {
namespace {

using segue::testing::CallWithBytes;
using segue::testing::Connect;
using segue::testing::kBatchRetrieveMethod;
using segue::testing::kRetrieveMethod;
using segue::testing::MetricValue;
using segue::testing::RawAnswer;
using segue::testing::RawCall;
using std::chrono::hours;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(ToGrpcStatusTest, DocumentedCodesGoOutAsTheyAre) {
  EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok());
  for (const auto code :
       {absl::StatusCode::kCancelled, absl::StatusCode::kInvalidArgument,
        absl::StatusCode::kDeadlineExceeded, absl::StatusCode::kNotFound,
        absl::StatusCode::kResourceExhausted, absl::StatusCode::kUnavailable,
        absl::StatusCode::kInternal}) {
    const grpc::Status sent = ToGrpcStatus(absl::Status(code, "why"));
    EXPECT_EQ(static_cast<int>(sent.error_code()), static_cast<int>(code));
    EXPECT_EQ(sent.error_message(), "why");
  }
}

TEST(ToGrpcStatusTest, OtherCodesAreInternal) {
  for (const auto code :
       {absl::StatusCode::kUnknown, absl::StatusCode::kDataLoss,
        absl::StatusCode::kFailedPrecondition,
        absl::StatusCode::kUnauthenticated}) {
    EXPECT_EQ(ToGrpcStatus(absl::Status(code, "why")).error_code(),
              grpc::INTERNAL);
  }
}

gpr_timespec InHours(int64_t hours) {
  return gpr_time_add(gpr_now(GPR_CLOCK_REALTIME),
                      gpr_time_from_hours(hours, GPR_TIMESPAN));
}

TEST(ToDeadlineTest, NeverStaysNever) {
  for (const auto clock : {GPR_CLOCK_REALTIME, GPR_CLOCK_MONOTONIC}) {
    EXPECT_EQ(ToDeadline(gpr_inf_future(clock)).when(),
              Deadline::Infinite().when());
  }
}

TEST(ToDeadlineTest, IsTheSameMomentOnTheSteadyClock) {
  const auto before = Deadline::Clock::now();
  const Deadline deadline = ToDeadline(InHours(2));
  EXPECT_GT(deadline.when(), before + hours(1));
  EXPECT_LT(deadline.when(), before + hours(3));
}

TEST(ToDeadlineTest, WhatHasPassedHasPassed) {
  EXPECT_TRUE(ToDeadline(InHours(-1)).Expired());
  EXPECT_TRUE(ToDeadline(gpr_inf_past(GPR_CLOCK_REALTIME)).Expired());
}

TEST(ToDeadlineTest, CenturiesAwayHasNotPassed) {
  // 292 years, Go's longest timeout, and the longest that gRPC can send.
  for (const int64_t hours : {2562047, 99999999}) {
    EXPECT_FALSE(ToDeadline(InHours(hours)).Expired()) << hours;
  }
}

// One worker; a test says what it does.
class CallTest : public ::testing::Test {
 protected:
  void Start(WorkerPool::Execute execute, int max_queued = 10) {
    pool_ = std::make_unique<WorkerPool>(
        WorkerPool::Options{
            .threads = 1, .max_queued = max_queued, .max_batch = 1},
        std::move(execute), [](int) {});
    service_ = std::make_unique<RetrievalService>(v1::ServerConfig(), *pool_,
                                                  metrics_, log_);
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port);
    builder.RegisterService(service_.get());
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    channel_ = Connect("127.0.0.1:" + std::to_string(port));
  }
  void TearDown() override {
    if (server_ != nullptr) server_->Shutdown();
    if (pool_ != nullptr) pool_->Stop();
  }

  double Requests(const std::string& code) {
    return MetricValue(metrics_.Text(), "segue_requests_total{code=\"" + code +
                                            "\",method=\"Retrieve\"}");
  }

  Metrics metrics_;
  RequestLog log_{0};
  std::unique_ptr<WorkerPool> pool_;
  std::unique_ptr<RetrievalService> service_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(CallTest, TheWorkerSeesTheRequestAndTheClientItsAnswer) {
  Start([](absl::Span<Job* const> jobs, bool) {
    v1::RetrieveResponse& answer = jobs[0]->response(0);
    answer.set_bundle_version("for " + jobs[0]->query(0).user_id());
    jobs[0]->Complete(absl::OkStatus());
  });
  v1::RetrieveRequest request;
  request.set_user_id("u1");
  const RawAnswer answer =
      CallWithBytes(channel_, kRetrieveMethod, request.SerializeAsString());
  ASSERT_TRUE(answer.status.ok());
  v1::RetrieveResponse response;
  ASSERT_TRUE(response.ParseFromString(answer.bytes));
  EXPECT_EQ(response.bundle_version(), "for u1");
  EXPECT_EQ(Requests("OK"), 1);
}

TEST_F(CallTest, ABatchIsOneJobOfItsQueries) {
  Start([](absl::Span<Job* const> jobs, bool) {
    for (int i = 0; i < jobs[0]->query_count(); ++i) {
      jobs[0]->response(i).set_bundle_version(jobs[0]->query(i).user_id());
    }
    jobs[0]->Complete(absl::OkStatus());
  });
  v1::BatchRetrieveRequest request;
  for (const char* user : {"a", "b", "c"}) {
    request.add_requests()->set_user_id(user);
  }
  const RawAnswer answer = CallWithBytes(channel_, kBatchRetrieveMethod,
                                         request.SerializeAsString());
  ASSERT_TRUE(answer.status.ok());
  v1::BatchRetrieveResponse response;
  ASSERT_TRUE(response.ParseFromString(answer.bytes));
  ASSERT_EQ(response.responses_size(), 3);
  EXPECT_EQ(response.responses(2).bundle_version(), "c");
}

TEST_F(CallTest, AnErrorCarriesNoAnswer) {
  Start([](absl::Span<Job* const> jobs, bool) {
    jobs[0]->response(0).set_bundle_version("half done");
    jobs[0]->Complete(absl::InternalError("the index fails"));
  });
  const RawAnswer answer = CallWithBytes(channel_, kRetrieveMethod, "");
  EXPECT_EQ(answer.status.error_code(), grpc::INTERNAL);
  EXPECT_EQ(answer.status.error_message(), "the index fails");
  EXPECT_EQ(answer.bytes, "");
  EXPECT_EQ(Requests("INTERNAL"), 1);
}

TEST_F(CallTest, AFailedCallIsLoggedWithItsIdAndItsText) {
  Start([](absl::Span<Job* const> jobs, bool) {
    jobs[0]->Complete(absl::InternalError("the index fails"));
  });
  grpc::ClientContext context;
  context.AddMetadata("x-request-id", "r-18");
  v1::RetrieveRequest request;
  request.set_user_id("u1");
  v1::RetrieveResponse response;
  ::testing::internal::CaptureStderr();
  (void)v1::RetrievalService::NewStub(channel_)->Retrieve(&context, request,
                                                          &response);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("ERROR"), HasSubstr("r-18"),
                    HasSubstr("the index fails"), Not(HasSubstr("u1"))));
}

TEST_F(CallTest, AFullQueueIsResourceExhaustedAndTheOthersAreAnswered) {
  std::counting_semaphore<> entered(0), released(0);
  Start(
      [&](absl::Span<Job* const> jobs, bool) {
        entered.release();
        released.acquire();
        jobs[0]->Complete(absl::OkStatus());
      },
      /*max_queued=*/1);
  const auto call = [this] {
    auto made = std::make_unique<RawCall>(channel_, kRetrieveMethod);
    made->Write("", /*last=*/true);
    return made;
  };
  const auto running = call();
  entered.acquire();
  const auto second = call(), third = call();
  // One of the two waits; which one is the network's to say.
  std::thread release([&] {
    while (Requests("RESOURCE_EXHAUSTED") == 0) std::this_thread::yield();
    released.release(2);
  });
  EXPECT_TRUE(running->Read().has_value());
  EXPECT_TRUE(running->Finish().ok());
  int refused = 0;
  for (RawCall* waiting : {second.get(), third.get()}) {
    waiting->Read();
    const grpc::Status status = waiting->Finish();
    if (status.ok()) continue;
    ++refused;
    EXPECT_EQ(status.error_code(), grpc::RESOURCE_EXHAUSTED);
    EXPECT_THAT(status.error_message(), HasSubstr("1 requests wait already"));
    EXPECT_GE(std::stoi(waiting->Trailing(kRetryPushback)), 1);
  }
  EXPECT_EQ(refused, 1);
  EXPECT_EQ(MetricValue(metrics_.Text(),
                        "segue_requests_shed_total{reason=\"queue_full\"}"),
            1);
  release.join();
}

TEST_F(CallTest, AfterThePoolStoppedCallsAreUnavailable) {
  Start([](absl::Span<Job* const>, bool) {});
  pool_->Stop();
  EXPECT_EQ(CallWithBytes(channel_, kRetrieveMethod, "").status.error_code(),
            grpc::UNAVAILABLE);
}

TEST_F(CallTest, TheWorkerSeesThatTheClientCancelled) {
  std::latch entered(1);
  absl::Status wanted;
  Start([&](absl::Span<Job* const> jobs, bool) {
    EXPECT_FALSE(jobs[0]->IsCancelled());
    entered.count_down();
    while (!jobs[0]->IsCancelled()) std::this_thread::yield();
    wanted = jobs[0]->Wanted();
    jobs[0]->Complete(wanted);
  });
  RawCall call(channel_, kRetrieveMethod);
  call.Write("", /*last=*/true);
  entered.wait();
  call.Cancel();
  EXPECT_EQ(call.Finish().error_code(), grpc::CANCELLED);
  pool_->Stop();
  EXPECT_EQ(wanted.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(Requests("CANCELLED"), 1);
}

// A call whose deadline passes is cancelled as well, by its client or by gRPC.
TEST_F(CallTest, AnAnswerThatIsReadyTooLateIsNotSent) {
  Start([](absl::Span<Job* const> jobs, bool) {
    while (!jobs[0]->deadline().Expired() || !jobs[0]->IsCancelled()) {
      std::this_thread::yield();
    }
    jobs[0]->Complete(absl::OkStatus());
  });
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::milliseconds(500));
  v1::RetrieveResponse response;
  const grpc::Status status = v1::RetrievalService::NewStub(channel_)->Retrieve(
      &context, {}, &response);
  EXPECT_EQ(status.error_code(), grpc::DEADLINE_EXCEEDED);
  pool_->Stop();
  EXPECT_EQ(Requests("OK"), 0);
  EXPECT_EQ(Requests("DEADLINE_EXCEEDED"), 1);
}

// The deadline that a worker sees of a call with `deadline` on the client.
class CallDeadlineTest : public CallTest {
 protected:
  Deadline SeenOf(gpr_timespec deadline) {
    Deadline seen = Deadline::At({});
    Start([&seen](absl::Span<Job* const> jobs, bool) {
      seen = jobs[0]->deadline();
      jobs[0]->Complete(jobs[0]->Wanted());
    });
    grpc::ClientContext context;
    context.set_deadline(deadline);
    v1::RetrieveResponse response;
    const grpc::Status status =
        v1::RetrievalService::NewStub(channel_)->Retrieve(&context, {},
                                                          &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    pool_->Stop();
    return seen;
  }
};

TEST_F(CallDeadlineTest, OfTheClientIsTheWorkers) {
  const auto before = Deadline::Clock::now();
  const Deadline seen = SeenOf(InHours(2));
  EXPECT_GT(seen.when(), before + hours(1));
  EXPECT_LT(seen.when(), before + hours(3));
}

TEST_F(CallDeadlineTest, NoneIsNever) {
  EXPECT_EQ(SeenOf(gpr_inf_future(GPR_CLOCK_REALTIME)).when(),
            Deadline::Infinite().when());
}

}  // namespace
}  // namespace segue
