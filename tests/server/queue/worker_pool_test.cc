#include "server/queue/worker_pool.h"

#include <atomic>
#include <latch>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/fake_job.h"
#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using segue::testing::FakeJob;
using segue::testing::IsOk;
using segue::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A pool of one worker that stays in its first group until Release(): what is
// submitted meanwhile waits.
class WorkerPoolTest : public ::testing::Test {
 protected:
  // The worker uses what is destroyed before the pool.
  ~WorkerPoolTest() override { ReleaseAndStop(); }

  void Start(int max_queued, int max_batch) {
    pool_ = std::make_unique<WorkerPool>(
        WorkerPool::Options{
            .threads = 1, .max_queued = max_queued, .max_batch = max_batch},
        [this](absl::Span<Job* const> jobs, bool) { Execute(jobs); },
        [this](int queries) { lengths_.push_back(queries); });
    EXPECT_THAT(Submit(0), IsOk());
    entered_.wait();
  }

  // Of a job with so many queries.
  absl::Status Submit(int queries) {
    return pool_->Submit(
        &jobs_.emplace_back(std::vector<std::string>(queries)));
  }

  void Release() {
    if (!released_.try_wait()) released_.count_down();
  }

  void ReleaseAndStop() {
    Release();
    if (pool_ != nullptr) pool_->Stop();
  }

  // Queries of each group, the first left out; after ReleaseAndStop().
  std::vector<std::vector<int>> groups() const {
    return {groups_.begin() + 1, groups_.end()};
  }

  std::list<FakeJob> jobs_;
  std::vector<int> lengths_;  // as on_queue_length told
  std::unique_ptr<WorkerPool> pool_;

 private:
  void Execute(absl::Span<Job* const> jobs) {
    std::vector<int>& group = groups_.emplace_back();
    for (Job* job : jobs) {
      group.push_back(job->query_count());
      job->Complete(absl::OkStatus());
    }
    if (groups_.size() > 1) return;
    entered_.count_down();
    released_.wait();
  }

  std::vector<std::vector<int>> groups_;
  std::latch entered_{1};
  std::latch released_{1};
};

TEST_F(WorkerPoolTest, WhatIsQueuedIsOneGroup) {
  Start(/*max_queued=*/10, /*max_batch=*/16);
  for (int queries : {1, 0, 3}) EXPECT_THAT(Submit(queries), IsOk());
  ReleaseAndStop();
  EXPECT_THAT(groups(), ElementsAre(ElementsAre(1, 0, 3)));
}

TEST_F(WorkerPoolTest, AGroupEndsAtMaxBatchQueries) {
  Start(/*max_queued=*/20, /*max_batch=*/4);
  for (int queries : {1, 1, 1, 0, 1, 2, 2}) {
    EXPECT_THAT(Submit(queries), IsOk());
  }
  ReleaseAndStop();
  EXPECT_THAT(groups(), ElementsAre(ElementsAre(1, 1, 1, 0), ElementsAre(1, 2),
                                    ElementsAre(2)));
}

TEST_F(WorkerPoolTest, AJobOverMaxBatchIsAGroupOfItsOwn) {
  Start(/*max_queued=*/20, /*max_batch=*/4);
  for (int queries : {1, 9, 1}) EXPECT_THAT(Submit(queries), IsOk());
  ReleaseAndStop();
  EXPECT_THAT(groups(),
              ElementsAre(ElementsAre(1), ElementsAre(9), ElementsAre(1)));
}

TEST_F(WorkerPoolTest, AFullQueueRefusesAndLeavesTheJobAlone) {
  Start(/*max_queued=*/2, /*max_batch=*/16);
  EXPECT_THAT(Submit(1), IsOk());
  EXPECT_THAT(Submit(1), IsOk());
  EXPECT_THAT(Submit(1), StatusIs(absl::StatusCode::kResourceExhausted,
                                  HasSubstr("2 requests wait already")));
  EXPECT_THAT(jobs_.back().statuses, IsEmpty());
  ReleaseAndStop();
  EXPECT_THAT(groups(), ElementsAre(ElementsAre(1, 1)));
}

TEST_F(WorkerPoolTest, AJobOfSeveralIsTakenWhereOneMayWait) {
  Start(/*max_queued=*/2, /*max_batch=*/16);
  EXPECT_THAT(Submit(1), IsOk());
  EXPECT_THAT(Submit(5), IsOk());
  EXPECT_THAT(Submit(0), StatusIs(absl::StatusCode::kResourceExhausted,
                                  HasSubstr("6 requests")));
}

TEST_F(WorkerPoolTest, StopAnswersAllThatWasTaken) {
  Start(/*max_queued=*/100, /*max_batch=*/2);
  for (int i = 0; i < 9; ++i) EXPECT_THAT(Submit(1), IsOk());
  ReleaseAndStop();
  ASSERT_THAT(jobs_, SizeIs(10));
  for (const FakeJob& job : jobs_) {
    EXPECT_THAT(job.statuses, ElementsAre(IsOk()));
  }
}

TEST_F(WorkerPoolTest, SubmitAfterStopIsUnavailable) {
  Start(/*max_queued=*/1, /*max_batch=*/1);
  ReleaseAndStop();
  EXPECT_THAT(Submit(1),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("stopping")));
  EXPECT_THAT(jobs_.back().statuses, IsEmpty());
}

TEST_F(WorkerPoolTest, StopTwiceIsStopOnce) {
  Start(/*max_queued=*/1, /*max_batch=*/1);
  ReleaseAndStop();
  pool_->Stop();
}

TEST_F(WorkerPoolTest, TellsHowManyQueriesWait) {
  Start(/*max_queued=*/10, /*max_batch=*/4);
  for (int queries : {3, 0, 2}) EXPECT_THAT(Submit(queries), IsOk());
  ReleaseAndStop();
  // The first job came and went; the last one is the stopped worker's.
  EXPECT_THAT(lengths_, ElementsAre(1, 0, 3, 4, 6, 2, 0, 0));
}

TEST(ShareOfQueueTest, LeavesIdleWorkersTheirs) {
  EXPECT_EQ(ShareOfQueue(1, 0), 1);
  EXPECT_EQ(ShareOfQueue(7, 0), 7);
  EXPECT_EQ(ShareOfQueue(1, 3), 1);
  EXPECT_EQ(ShareOfQueue(7, 1), 4);
  EXPECT_EQ(ShareOfQueue(8, 3), 2);
}

TEST(WorkerPoolThreadsTest, SeveralWorkersAnswerEachJobOnce) {
  constexpr int kThreads = 4, kJobs = 200;
  std::vector<FakeJob> jobs(kThreads * kJobs);
  std::atomic<int> answered = 0;
  WorkerPool pool(
      {.threads = 3, .max_queued = kThreads * kJobs, .max_batch = 8},
      [&](absl::Span<Job* const> group, bool) {
        for (Job* job : group) job->Complete(absl::OkStatus());
        answered += static_cast<int>(group.size());
      },
      [](int) {});
  std::vector<std::thread> clients;
  for (int t = 0; t < kThreads; ++t) {
    clients.emplace_back([&, t] {
      for (int i = 0; i < kJobs; ++i) {
        ASSERT_THAT(pool.Submit(&jobs[t * kJobs + i]), IsOk());
      }
    });
  }
  for (std::thread& client : clients) client.join();
  pool.Stop();
  EXPECT_EQ(answered, kThreads * kJobs);
  for (const FakeJob& job : jobs) EXPECT_THAT(job.statuses, SizeIs(1));
}

TEST(WorkerPoolThreadsTest, WorkersRunAtOnce) {
  std::latch both(2);
  FakeJob one, two;
  WorkerPool pool(
      {.threads = 2, .max_queued = 2, .max_batch = 1},
      [&](absl::Span<Job* const>, bool) { both.arrive_and_wait(); },
      [](int) {});
  EXPECT_THAT(pool.Submit(&one), IsOk());
  EXPECT_THAT(pool.Submit(&two), IsOk());
  pool.Stop();
}

}  // namespace
}  // namespace segue
