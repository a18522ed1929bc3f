// The four methods, and what clients can do wrong, over a real connection.
#include "server/requests/retrieval_service.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/running_server.h"

namespace segue {
namespace {

using segue::testing::CallWithBytes;
using segue::testing::kBatchRetrieveMethod;
using segue::testing::kRetrieveMethod;
using segue::testing::RunningServer;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using Stub = v1::RetrievalService::Stub;

constexpr int kItems = 12;

MATCHER_P2(IsStatus, code, message, "") {
  *result_listener << arg.error_code() << ": " << arg.error_message();
  return arg.error_code() == code &&
         ::testing::ExplainMatchResult(message, arg.error_message(),
                                       result_listener);
}
MATCHER(IsGrpcOk, "") {
  *result_listener << arg.error_code() << ": " << arg.error_message();
  return arg.ok();
}
// Ids and scores of equal length, best first, no id twice.
template <typename Response>
bool IsRanking(const Response& answer) {
  const std::set<std::string> distinct(answer.item_ids().begin(),
                                       answer.item_ids().end());
  return answer.scores_size() == answer.item_ids_size() &&
         static_cast<int>(distinct.size()) == answer.item_ids_size() &&
         std::is_sorted(answer.scores().rbegin(), answer.scores().rend());
}

// One server of 12 items for all tests: they only read.
class RetrievalServiceTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = std::make_unique<RunningServer>(
        "max_top_k: 50 max_history: 10 max_batch_requests: 20 max_batch: 4 "
        "max_message_bytes: 4096");
    version_ = server_->Serve({.items = kItems});
  }
  static void TearDownTestSuite() { server_.reset(); }

  static v1::RetrieveResponse Retrieve(const std::string& text) {
    v1::RetrieveResponse response;
    EXPECT_THAT(server_->Call(&Stub::Retrieve, text, response), IsGrpcOk());
    return response;
  }
  static double Requests(const std::string& method, const std::string& code) {
    return server_->Metric(absl::StrCat("segue_requests_total{code=\"", code,
                                        "\",method=\"", method, "\"}"));
  }

  static std::unique_ptr<RunningServer> server_;
  static std::string version_;
};
std::unique_ptr<RunningServer> RetrievalServiceTest::server_;
std::string RetrievalServiceTest::version_;

TEST_F(RetrievalServiceTest, RetrieveAnswersExactlyKWithTheirScores) {
  for (const int k : {1, 5, kItems}) {
    const auto answer = Retrieve(
        absl::StrCat("user_id: 'u1' history: ['i3', 'i4'] top_k: ", k));
    EXPECT_THAT(answer.item_ids(), SizeIs(k));
    EXPECT_TRUE(IsRanking(answer));
    EXPECT_THAT(answer.item_ids(), Each(StartsWith("i")));
    EXPECT_EQ(answer.bundle_version(), version_);
    EXPECT_EQ(answer.unknown_history(), 0);
  }
}

TEST_F(RetrievalServiceTest, AnEmptyHistoryOfAnUnknownUserIsAnswered) {
  const auto stranger = Retrieve("user_id: 'stranger' top_k: 4");
  EXPECT_THAT(stranger.item_ids(), SizeIs(4));
  EXPECT_TRUE(IsRanking(stranger));
  EXPECT_EQ(stranger.SerializeAsString(),
            Retrieve("top_k: 4").SerializeAsString());
}

TEST_F(RetrievalServiceTest, UnknownIdsOfTheHistoryAreCounted) {
  EXPECT_EQ(Retrieve("history: ['x', 'i1'] seed_item: 'y'").unknown_history(),
            2);
}

TEST_F(RetrievalServiceTest, ExcludedItemsAreNeverAnAnswer) {
  const auto answer = Retrieve(
      "history: ['i0', 'i1'] exclude_history: true "
      "exclude_item_ids: ['i5', 'none'] top_k: 50");
  EXPECT_THAT(answer.item_ids(), SizeIs(kItems - 3));
  EXPECT_THAT(answer.item_ids(), Each(AllOf(Not("i0"), Not("i1"), Not("i5"))));
}

TEST_F(RetrievalServiceTest, ABatchIsAnsweredInItsOrderByOneVersion) {
  std::string text;
  for (int k = 1; k <= 9; ++k) {
    absl::StrAppend(&text, "requests { user_id: 'u", k % 3, "' top_k: ", k,
                    " } ");
  }
  v1::BatchRetrieveResponse batch;
  ASSERT_THAT(server_->Call(&Stub::BatchRetrieve, text, batch), IsGrpcOk());
  ASSERT_EQ(batch.responses_size(), 9);
  for (int k = 1; k <= 9; ++k) {
    const auto& answer = batch.responses(k - 1);
    EXPECT_THAT(answer.item_ids(), SizeIs(k));
    EXPECT_TRUE(IsRanking(answer));
    EXPECT_EQ(answer.bundle_version(), version_);
    EXPECT_EQ(
        answer.item_ids(0),
        Retrieve(absl::StrCat("user_id: 'u", k % 3, "' top_k: 1")).item_ids(0));
  }
}

TEST_F(RetrievalServiceTest, AnEmptyBatchIsAnEmptyAnswer) {
  v1::BatchRetrieveResponse batch;
  EXPECT_THAT(server_->Call(&Stub::BatchRetrieve, "", batch), IsGrpcOk());
  EXPECT_EQ(batch.responses_size(), 0);
}

TEST_F(RetrievalServiceTest, SimilarItemsAreNeverTheItemNorTheExcluded) {
  v1::SimilarItemsResponse answer;
  ASSERT_THAT(
      server_->Call(&Stub::SimilarItems,
                    "item_id: 'i4' exclude_item_ids: 'i5' top_k: 50", answer),
      IsGrpcOk());
  EXPECT_THAT(answer.item_ids(), SizeIs(kItems - 2));
  EXPECT_THAT(answer.item_ids(), Each(AllOf(Not("i4"), Not("i5"))));
  EXPECT_TRUE(IsRanking(answer));
  EXPECT_EQ(answer.bundle_version(), version_);
}

TEST_F(RetrievalServiceTest, SimilarItemsOfAnUnknownItemIsNotFound) {
  v1::SimilarItemsResponse answer;
  EXPECT_THAT(server_->Call(&Stub::SimilarItems, "item_id: 'none'", answer),
              IsStatus(grpc::NOT_FOUND, HasSubstr("\"none\"")));
}

TEST_F(RetrievalServiceTest, DescribesItemsInTheOrderAsked) {
  v1::DescribeItemsResponse answer;
  ASSERT_THAT(server_->Call(&Stub::DescribeItems,
                            "item_ids: ['none', 'i4', 'i4']", answer),
              IsGrpcOk());
  EXPECT_EQ(answer.bundle_version(), version_);
  ASSERT_EQ(answer.items_size(), 3);
  EXPECT_EQ(answer.items(0).item_id(), "none");
  EXPECT_FALSE(answer.items(0).known());
  EXPECT_TRUE(answer.items(1).known());
  EXPECT_EQ(answer.items(1).columns().at("title"), "Title 4");
  EXPECT_EQ(answer.items(2).item_id(), "i4");
}

TEST_F(RetrievalServiceTest, RequestsOutOfBoundsAreInvalid) {
  v1::RetrieveResponse one;
  EXPECT_THAT(server_->Call(&Stub::Retrieve, "top_k: -5", one),
              IsStatus(grpc::INVALID_ARGUMENT, StartsWith("top_k: -5")));
  v1::BatchRetrieveResponse batch;
  EXPECT_THAT(
      server_->Call(&Stub::BatchRetrieve, "requests { top_k: 51 }", batch),
      IsStatus(grpc::INVALID_ARGUMENT, StartsWith("requests[0].top_k: 51")));
  v1::SimilarItemsResponse similar;
  EXPECT_THAT(server_->Call(&Stub::SimilarItems, "", similar),
              IsStatus(grpc::INVALID_ARGUMENT, StartsWith("item_id: ")));
  v1::DescribeItemsResponse described;
  EXPECT_THAT(
      server_->Call(&Stub::DescribeItems,
                    absl::StrCat("item_ids: '", std::string(257, 'x'), "'"),
                    described),
      IsStatus(grpc::INVALID_ARGUMENT, StartsWith("item_ids[0]: ")));
}

TEST_F(RetrievalServiceTest, WhatOnlyTheBundleKnowsIsInvalidToo) {
  v1::RetrieveResponse one;
  EXPECT_THAT(
      server_->Call(&Stub::Retrieve, "user_features { name: 'mood' number: 1 }",
                    one),
      IsStatus(grpc::INVALID_ARGUMENT, HasSubstr("no feature \"mood\"")));
  v1::BatchRetrieveResponse batch;
  EXPECT_THAT(
      server_->Call(&Stub::BatchRetrieve,
                    "requests {} "
                    "requests { user_features { name: 'mood' number: 1 } }",
                    batch),
      IsStatus(grpc::INVALID_ARGUMENT, StartsWith("requests[1].")));
}

TEST_F(RetrievalServiceTest, StringsThatAreNotUtf8AreInvalid) {
  const double before = Requests("Retrieve", "INVALID_ARGUMENT");
  // user_id and history[0], each of one byte that no UTF-8 begins with.
  for (const char* bytes : {"\x0a\x01\xff", "\x12\x01\x80"}) {
    EXPECT_THAT(
        CallWithBytes(server_->channel(), kRetrieveMethod, bytes).status,
        IsStatus(grpc::INVALID_ARGUMENT, HasSubstr("does not parse")));
  }
  EXPECT_EQ(Requests("Retrieve", "INVALID_ARGUMENT"), before + 2);
}

TEST_F(RetrievalServiceTest, GarbageIsInvalidForEveryMethod) {
  for (const char* method :
       {"Retrieve", "BatchRetrieve", "SimilarItems", "DescribeItems"}) {
    EXPECT_THAT(
        CallWithBytes(server_->channel(),
                      absl::StrCat("/segue.v1.RetrievalService/", method),
                      "\xff\xff\xff garbage")
            .status,
        IsStatus(grpc::INVALID_ARGUMENT, HasSubstr("does not parse")))
        << method;
  }
}

TEST_F(RetrievalServiceTest, NoBytesAreTheEmptyRequest) {
  const auto answer = CallWithBytes(server_->channel(), kRetrieveMethod, "");
  ASSERT_THAT(answer.status, IsGrpcOk());
  v1::RetrieveResponse response;
  ASSERT_TRUE(response.ParseFromString(answer.bytes));
  EXPECT_THAT(response.item_ids(), SizeIs(kItems));
}

TEST_F(RetrievalServiceTest, UnknownFieldsAreIgnored) {
  // Field 500, of 3 bytes.
  EXPECT_THAT(
      CallWithBytes(server_->channel(), kRetrieveMethod, "\xa2\x1f\x03new")
          .status,
      IsGrpcOk());
}

TEST_F(RetrievalServiceTest, AnUnknownMethodIsUnimplemented) {
  EXPECT_THAT(
      CallWithBytes(server_->channel(), "/segue.v1.RetrievalService/Divine", "")
          .status,
      IsStatus(grpc::UNIMPLEMENTED, ::testing::_));
}

TEST_F(RetrievalServiceTest, AMessageOverTheLimitIsResourceExhausted) {
  EXPECT_THAT(CallWithBytes(server_->channel(), kBatchRetrieveMethod,
                            std::string(5000, 'x'))
                  .status,
              IsStatus(grpc::RESOURCE_EXHAUSTED, HasSubstr("4096")));
  EXPECT_THAT(Retrieve("top_k: 1").item_ids(), SizeIs(1));
}

TEST_F(RetrievalServiceTest, ADeadlineThatHasPassedIsExceeded) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() -
                       std::chrono::seconds(1));
  v1::RetrieveResponse response;
  EXPECT_THAT(server_->stub().Retrieve(&context, {}, &response),
              IsStatus(grpc::DEADLINE_EXCEEDED, ::testing::_));
}

TEST_F(RetrievalServiceTest, ADeadlineThatHoldsChangesNothing) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::hours(1));
  v1::RetrieveResponse response;
  EXPECT_THAT(server_->stub().Retrieve(&context, {}, &response), IsGrpcOk());
}

TEST_F(RetrievalServiceTest, CallsAreCountedByMethodAndCode) {
  const double good = Requests("SimilarItems", "OK");
  const double missing = Requests("SimilarItems", "NOT_FOUND");
  v1::SimilarItemsResponse answer;
  EXPECT_THAT(server_->Call(&Stub::SimilarItems, "item_id: 'i1'", answer),
              IsGrpcOk());
  EXPECT_FALSE(
      server_->Call(&Stub::SimilarItems, "item_id: 'none'", answer).ok());
  EXPECT_EQ(Requests("SimilarItems", "OK"), good + 1);
  EXPECT_EQ(Requests("SimilarItems", "NOT_FOUND"), missing + 1);
}

}  // namespace
}  // namespace segue
