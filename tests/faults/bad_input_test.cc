// Test 18: requests that no client should send. Field by field they are tested
// in request_validation_test.cc, filter_test.cc and by the fuzzer; here is what
// the client sees.
#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/faults/pending_call.h"
#include "tests/server/grpc_client.h"
#include "tests/server/text_message.h"

namespace segue::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

struct BadInput {
  std::string name;
  std::string bytes;  // of a RetrieveRequest
  std::string said;
};

BadInput Of(const std::string& text, const std::string& said) {
  return {text, FromText<v1::RetrieveRequest>(text).SerializeAsString(), said};
}

BadInput AMillionEvents() {
  const std::string event = "i";
  v1::RetrieveRequest request;
  for (int i = 0; i < 1'000'000; ++i) request.add_history(event);
  return {"a million events", request.SerializeAsString(),
          "history: 1000000 elements"};
}

std::vector<BadInput> BadInputs() {
  return {
      Of("top_k: -1", "top_k: -1"),
      Of("top_k: -2147483648", "top_k: -2147483648"),
      Of("top_k: 2147483647", "top_k: 2147483647"),
      Of("user_features { name: 'age' number: nan }", "number: nan"),
      Of("user_features { name: 'age' number: inf }", "number: inf"),
      Of("request_features { name: 'device' number: 1 }", "takes a category"),
      Of("user_features { name: '../../etc/passwd' number: 1 }", "no feature"),
      Of("target_overlap: nan", "target_overlap: nan"),
      Of("target_overlap: 2", "target_overlap: 2"),
      Of("effort { nprobe: -1 }", "nprobe: -1"),
      Of("effort { k_factor: 2147483647 }", "k_factor: 2147483647"),
      Of("diversity { mmr: nan }", "mmr"),
      Of("diversity { caps { attribute: 'parity' at_most: -1 } }", "at_most"),
      Of("filter { range { attribute: 'year' at_least: nan } }", "nan"),
      Of("filter { one_of { attribute: 'mood' values: 'x' } }", "mood"),
      Of("history: 'i1' history_times: -1", "history_times[0]: -1"),
      Of("request_time: -9223372036854775808", "request_time: "),
      Of(absl::StrCat("user_id: '", std::string(100'000, 'x'), "'"),
         "100000 bytes"),
      Of("bundle_version: '/etc'", "no version's name"),
      AMillionEvents(),
      {"bad UTF-8", "\x0a\x01\xff", "does not parse"},
      {"bad UTF-8 in a history", "\x12\x02\xc3\x28", "does not parse"},
      {"a length beyond the end", "\x0a\x7f", "does not parse"},
      {"no message", std::string(1000, '\xff'), "does not parse"},
  };
}

class BadInputTest : public ::testing::Test {
 protected:
  BadInputTest() : version_(server_.Serve()) {}

  RunningServer server_;
  const std::string version_;
};

TEST_F(BadInputTest, IsInvalidAndNoPathIsTold) {
  const std::string& root = server_.server().manager().bundle_root();
  for (const BadInput& bad : BadInputs()) {
    SCOPED_TRACE(bad.name.substr(0, 80));
    const grpc::Status status =
        CallWithBytes(server_.channel(), kRetrieveMethod, bad.bytes).status;
    EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT);
    EXPECT_THAT(status.error_message(),
                AllOf(HasSubstr(bad.said), Not(HasSubstr(root)),
                      Not(HasSubstr(".cc:"))));
    EXPECT_LT(status.error_message().size(), 2000u);
  }
  EXPECT_EQ(AnsweringVersion(server_), version_);
}

// Odd, and valid.
TEST_F(BadInputTest, WhatIsOddIsAnswered) {
  for (const char* text :
       {"", "history: ['', '']", "history: 'unknown' seed_item: 'unknown'",
        "user_features { name: 'age' number: 1e300 }",
        "user_features { name: 'age' number: -1e300 }",
        "user_features { name: 'age' number: 1e38 }",
        "user_features { name: 'age' number: 1e20 }",
        "history: 'i1' history_times: 9223372036854775807 request_time: 1",
        "exclude_item_ids: 'i1' exclude_history: true history: 'i2'"}) {
    SCOPED_TRACE(text);
    const PendingCall call(server_, text);
    EXPECT_TRUE(call.Wait().ok()) << call.Wait().error_message();
    EXPECT_GT(call.response().item_ids_size(), 0);
  }
}

// None of them is what the client did wrong, so none may say where files are.
TEST(BadServerTest, ErrorsOfTheServersOwnTellNoPath) {
  RunningServer server;
  server.Publish({.prefix = "bad", .edit_content = [](v1::Content& content) {
                    content.set_metric("l2");
                  }});
  server.server().manager().Step();
  const PendingCall call(server);
  EXPECT_EQ(call.Wait().error_code(), grpc::UNAVAILABLE);
  EXPECT_THAT(call.Wait().error_message(),
              Not(HasSubstr(server.server().manager().bundle_root())));
}

}  // namespace
}  // namespace segue::testing
