#include "server/requests/request_log.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/log.h"
#include "tests/server/text_message.h"

namespace segue {
namespace {

using segue::testing::FromText;
using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Optional;
using ::testing::internal::CaptureStderr;
using ::testing::internal::GetCapturedStderr;

constexpr auto kOk = absl::StatusCode::kOk;
constexpr auto kInternal = absl::StatusCode::kInternal;
constexpr RequestLog::Clock::time_point kNow{};

class RequestLogTest : public ::testing::Test {
 protected:
  RequestLogTest() { SetLogFormat(LogFormat::kText); }
  ~RequestLogTest() override {
    SetLogFormat(DefaultLogFormat());
    SetLeastLogLevel(LogLevel::kInfo);
  }

  static int Taken(RequestLog& log, int calls, absl::StatusCode code,
                   RequestLog::Clock::time_point now = kNow) {
    int taken = 0;
    for (int i = 0; i < calls; ++i) taken += log.Takes(code, now);
    return taken;
  }
  // What is logged of it, without its time.
  static std::string Logged(RequestLog& log, const FinishedCall& call) {
    CaptureStderr();
    log.Log(call);
    const std::string line = GetCapturedStderr();
    return line.substr(std::min(line.find(' '), line.size()));
  }
  static FinishedCall Failed(absl::string_view error) {
    return {.method = Method::kRetrieve,
            .code = kInternal,
            .error = error,
            .took = milliseconds(1)};
  }
};

TEST_F(RequestLogTest, TakesItsShareOfTheCalls) {
  for (const auto& [share, taken] :
       {std::pair(0.0, 0), {0.001, 10}, {0.25, 2500}, {1.0, 10000}}) {
    RequestLog log(share);
    EXPECT_EQ(Taken(log, 10000, kOk), taken) << share;
  }
}

TEST_F(RequestLogTest, OtherErrorsAreAShareToo) {
  RequestLog log(0.5);
  EXPECT_EQ(Taken(log, 10, absl::StatusCode::kInvalidArgument), 5);
}

TEST_F(RequestLogTest, WhereInfoIsNotLoggedNoCallIsTakenForIt) {
  RequestLog log(1);
  SetLeastLogLevel(LogLevel::kWarning);
  EXPECT_EQ(Taken(log, 10, kOk), 0);
  EXPECT_EQ(Taken(log, 1, kInternal), 1);
}

TEST_F(RequestLogTest, ACallIsALineOfItsSizeAndOutcome) {
  RequestLog log(1);
  EXPECT_EQ(Logged(log, {.method = Method::kBatchRetrieve,
                         .code = kOk,
                         .took = std::chrono::microseconds(1234),
                         .request_id = "r1",
                         .bundle_version = "v1",
                         .size = {.queries = 3, .top_k = 50}}),
            " INFO call finished method=BatchRetrieve code=OK took_ms=1.234 "
            "request_id=r1 bundle_version=v1 queries=3 top_k=50\n");
}

TEST_F(RequestLogTest, WhatIsNotKnownIsLeftOut) {
  RequestLog log(1);
  EXPECT_EQ(Logged(log, {.method = Method::kDescribeItems,
                         .code = absl::StatusCode::kUnavailable,
                         .took = milliseconds(2)}),
            " INFO call finished method=DescribeItems code=UNAVAILABLE "
            "took_ms=2\n");
}

TEST_F(RequestLogTest, AnErrorTextThatMayCarryValuesIsNotLogged) {
  RequestLog log(1);
  EXPECT_THAT(Logged(log, {.method = Method::kRetrieve,
                           .code = absl::StatusCode::kInvalidArgument,
                           .error = "history[0]: \"i7\" is secret",
                           .took = milliseconds(1)}),
              AllOf(HasSubstr("code=INVALID_ARGUMENT"), Not(HasSubstr("i7"))));
}

TEST_F(RequestLogTest, AFailedCallIsAnErrorWithItsText) {
  RequestLog log(0);
  ASSERT_TRUE(log.Takes(kInternal, kNow));
  EXPECT_EQ(Logged(log, Failed("the index fails\nforged")),
            " ERROR call failed method=Retrieve code=INTERNAL took_ms=1 "
            "error=\"the index fails\\nforged\"\n");
}

TEST_F(RequestLogTest, ALongErrorTextIsCut) {
  RequestLog log(0);
  EXPECT_THAT(Logged(log, Failed(std::string(10000, 'x'))),
              EndsWith(absl::StrCat("=", std::string(512, 'x'), "\n")));
}

TEST_F(RequestLogTest, TenErrorsInAnySecondAreTakenAndTheOthersCounted) {
  RequestLog log(0);
  EXPECT_EQ(Taken(log, 6, kInternal), 6);
  EXPECT_EQ(Taken(log, 100, kInternal, kNow + milliseconds(900)), 4);
  // Six of the last second's are over, four are not.
  EXPECT_EQ(Taken(log, 10, kInternal, kNow + milliseconds(1000)), 6);
  EXPECT_THAT(Logged(log, Failed("x")), EndsWith(" left_out=100\n"));
  EXPECT_THAT(Logged(log, Failed("x")), Not(HasSubstr("left_out")));
}

TEST_F(RequestLogTest, TheEndTellsWhatWasLeftOut) {
  CaptureStderr();
  {
    RequestLog log(0);
    Taken(log, 13, kInternal);
  }
  EXPECT_THAT(GetCapturedStderr(),
              AllOf(HasSubstr("WARNING"), EndsWith(" left_out=3\n")));
}

TEST(SizeOfTest, IsOfNumbersAlone) {
  const RequestSize one = SizeOf(FromText<v1::RetrieveRequest>("top_k: 5"));
  EXPECT_THAT(one.queries, Optional(1));
  EXPECT_THAT(one.top_k, Optional(5));
  const RequestSize batch = SizeOf(FromText<v1::BatchRetrieveRequest>(
      "requests { top_k: 5 } requests { top_k: 7 } requests {}"));
  EXPECT_THAT(batch.queries, Optional(3));
  EXPECT_THAT(batch.top_k, Optional(7));
  const RequestSize none = SizeOf(v1::BatchRetrieveRequest());
  EXPECT_THAT(none.queries, Optional(0));
  EXPECT_EQ(none.top_k, std::nullopt);
  const RequestSize similar =
      SizeOf(FromText<v1::SimilarItemsRequest>("item_id: 'i7' top_k: 4"));
  EXPECT_EQ(similar.queries, std::nullopt);
  EXPECT_THAT(similar.top_k, Optional(4));
}

TEST(AnsweredByTest, IsEmptyWhereNothingAnswered) {
  v1::BatchRetrieveResponse batch;
  EXPECT_EQ(AnsweredBy(batch), "");
  batch.add_responses()->set_bundle_version("v1");
  EXPECT_EQ(AnsweredBy(batch), "v1");
  EXPECT_EQ(AnsweredBy(v1::RetrieveResponse()), "");
}

TEST(RequestIdTest, IsUpTo128PrintableCharacters) {
  const auto id_of = [](const std::string& sent) {
    return std::string(RequestIdOf({{"other", "x"}, {"x-request-id", sent}}));
  };
  EXPECT_EQ(id_of("r-1 ~"), "r-1 ~");
  EXPECT_EQ(id_of(std::string(128, 'a')), std::string(128, 'a'));
  for (const std::string& bad :
       {std::string(129, 'a'), std::string("a\nb"), std::string("caf\xc3\xa9"),
        std::string("\x7f"), std::string(1, '\0')}) {
    EXPECT_THAT(id_of(bad), IsEmpty());
  }
  EXPECT_THAT(RequestIdOf({}), IsEmpty());
}

}  // namespace
}  // namespace segue
