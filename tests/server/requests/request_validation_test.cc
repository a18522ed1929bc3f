#include "server/requests/request_validation.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/text_message.h"
#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using segue::testing::FromText;
using segue::testing::IsOk;
using segue::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

v1::ServerConfig TightBounds() {
  return FromText<v1::ServerConfig>(
      "max_top_k: 5 max_history: 2 max_excluded: 3 max_id_bytes: 4 "
      "max_batch_requests: 2 max_features: 1");
}

template <typename Request>
absl::Status Check(const std::string& text) {
  return ValidateRequest(TightBounds(), FromText<Request>(text));
}

using Checker = absl::Status (*)(const std::string& text);
constexpr Checker kRetrieve = Check<v1::RetrieveRequest>;
constexpr Checker kBatch = Check<v1::BatchRetrieveRequest>;
constexpr Checker kSimilar = Check<v1::SimilarItemsRequest>;
constexpr Checker kDescribe = Check<v1::DescribeItemsRequest>;

struct GoodRequest {
  const char* name;
  Checker check;
  const char* text;
};

void PrintTo(const GoodRequest& good, std::ostream* out) { *out << good.name; }

class GoodRequestTest : public ::testing::TestWithParam<GoodRequest> {};

TEST_P(GoodRequestTest, IsTaken) {
  EXPECT_THAT(GetParam().check(GetParam().text), IsOk());
}

INSTANTIATE_TEST_SUITE_P(
    Table, GoodRequestTest,
    ::testing::Values(
        GoodRequest{"Empty", kRetrieve, ""},
        GoodRequest{"AtEveryBound", kRetrieve,
                    "user_id: 'abcd' history: ['abcd', 'b'] seed_item: 'abcd' "
                    "top_k: 5 exclude_item_ids: ['abcd', 'b', 'c'] "
                    "user_features { name: 'plan' category: 'paid' } "
                    "request_features { name: 'hour' number: -1.5 } "
                    "history_times: [0, 9223372036854775807] "
                    "request_time: 9223372036854775807"},
        GoodRequest{"EmptyIds", kRetrieve, "history: ['', '']"},
        GoodRequest{"EmptyCategory", kRetrieve,
                    "user_features { name: 'plan' category: '' }"},
        GoodRequest{"NoRequests", kBatch, ""},
        GoodRequest{"TwoRequests", kBatch, "requests { top_k: 5 } requests {}"},
        GoodRequest{"Similar", kSimilar, "item_id: 'abcd' top_k: 5"},
        GoodRequest{"NothingToDescribe", kDescribe, ""},
        // As many as an answer has: more than a history.
        GoodRequest{"DescribeAnAnswer", kDescribe,
                    "item_ids: ['a', 'b', 'c', 'd', 'e']"}),
    [](const auto& info) { return info.param.name; });

struct BadRequest {
  const char* name;
  Checker check;
  const char* text;
  const char* said;
};

void PrintTo(const BadRequest& bad, std::ostream* out) { *out << bad.name; }

class BadRequestTest : public ::testing::TestWithParam<BadRequest> {};

TEST_P(BadRequestTest, IsRefusedWithFieldAndValue) {
  EXPECT_THAT(GetParam().check(GetParam().text),
              StatusIs(kInvalid, StartsWith(GetParam().said)));
}

INSTANTIATE_TEST_SUITE_P(
    Retrieve, BadRequestTest,
    ::testing::Values(
        BadRequest{"NegativeTopK", kRetrieve, "top_k: -1", "top_k: -1; "},
        BadRequest{"TopKOverTheBound", kRetrieve, "top_k: 6",
                   "top_k: 6; it must be 1 to 5"},
        BadRequest{"HugeTopK", kRetrieve, "top_k: 2147483647",
                   "top_k: 2147483647; "},
        BadRequest{"LongUser", kRetrieve, "user_id: 'abcde'",
                   "user_id: \"abcde\" has 5 bytes; at most 4"},
        BadRequest{"LongHistory", kRetrieve, "history: ['a', 'b', 'c']",
                   "history: 3 elements; at most 2"},
        BadRequest{"LongIdInHistory", kRetrieve, "history: ['a', 'abcde']",
                   "history[1]: \"abcde\" has 5 bytes"},
        BadRequest{"FewerTimes", kRetrieve,
                   "history: ['a', 'b'] history_times: 1",
                   "history_times: 1 elements; it must be empty or have the 2"},
        BadRequest{"TimesOfNothing", kRetrieve, "history_times: [1, 2, 3]",
                   "history_times: 3 elements; it must be empty or have the 0"},
        BadRequest{"NegativeTime", kRetrieve,
                   "history: ['a', 'b'] history_times: [1, -2]",
                   "history_times[1]: -2; "},
        BadRequest{"NegativeRequestTime", kRetrieve, "request_time: -3",
                   "request_time: -3; "},
        BadRequest{"LongSeed", kRetrieve, "seed_item: 'abcde'",
                   "seed_item: \"abcde\""},
        BadRequest{"ManyExcluded", kRetrieve,
                   "exclude_item_ids: ['a', 'b', 'c', 'd']",
                   "exclude_item_ids: 4 elements; at most 3"},
        BadRequest{"LongIdExcluded", kRetrieve, "exclude_item_ids: 'abcde'",
                   "exclude_item_ids[0]: \"abcde\""},
        BadRequest{"LongAttribute", kRetrieve,
                   "filter { one_of { attribute: 'abcde' } }",
                   "filter: one_of.attribute: \"abcde\""},
        BadRequest{"LongValueDeepInAFilter", kRetrieve,
                   "filter { all_of { filters { none_of { filters { one_of { "
                   "attribute: 'a' values: ['b', 'abcde'] } } } } } }",
                   "filter: one_of.values[1]: \"abcde\""},
        BadRequest{"LongAttributeOfARange", kRetrieve,
                   "filter { any_of { filters { range { attribute: 'abcde' } } "
                   "} }",
                   "filter: range.attribute: \"abcde\""},
        BadRequest{"ManyItemsInAFilter", kRetrieve,
                   "filter { items { item_ids: ['a', 'b', 'c', 'd'] } }",
                   "filter: items.item_ids: 4 elements; at most 3"},
        BadRequest{"LongIdInAFilterOfSimilar", kSimilar,
                   "item_id: 'a' filter { items { item_ids: 'abcde' } }",
                   "filter: items.item_ids[0]: \"abcde\""},
        BadRequest{"ManyFeatures", kRetrieve,
                   "user_features { name: 'a' number: 1 } "
                   "user_features { name: 'b' number: 1 }",
                   "user_features: 2 elements; at most 1"},
        BadRequest{"LongFeatureName", kRetrieve,
                   "user_features { name: 'abcde' number: 1 }",
                   "user_features[0].name: \"abcde\""},
        BadRequest{"LongCategory", kRetrieve,
                   "request_features { name: 'a' category: 'abcde' }",
                   "request_features[0].category: \"abcde\""},
        BadRequest{"FeatureWithoutValue", kRetrieve,
                   "request_features { name: 'hour' }",
                   "request_features[0]: \"hour\" has no category"},
        BadRequest{"NanFeature", kRetrieve,
                   "user_features { name: 'age' number: nan }",
                   "user_features[0].number: nan"},
        BadRequest{"InfiniteFeature", kRetrieve,
                   "user_features { name: 'age' number: -inf }",
                   "user_features[0].number: -inf"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Others, BadRequestTest,
    ::testing::Values(
        BadRequest{"ManyRequests", kBatch, "requests {} requests {} requests{}",
                   "requests: 3 elements; at most 2"},
        BadRequest{"BadRequestInABatch", kBatch,
                   "requests {} requests { history: ['a', 'abcde'] }",
                   "requests[1].history[1]: \"abcde\""},
        BadRequest{"NoVersion", kBatch, "requests { bundle_version: 'x' }",
                   "requests[0].bundle_version: \"x\" is no version's name"},
        BadRequest{"TwoVersionsInABatch", kBatch,
                   "requests { bundle_version: '20260131T235959Z-0123456789ab' "
                   "} requests {}",
                   "requests[1].bundle_version: another one"},
        BadRequest{"NoItem", kSimilar, "top_k: 5", "item_id: empty"},
        BadRequest{"LongItem", kSimilar, "item_id: 'abcde'",
                   "item_id: \"abcde\""},
        BadRequest{"TopKOfSimilar", kSimilar, "item_id: 'a' top_k: 6",
                   "top_k: 6; "},
        BadRequest{"ManyExcludedOfSimilar", kSimilar,
                   "item_id: 'a' exclude_item_ids: ['a', 'b', 'c', 'd']",
                   "exclude_item_ids: 4 elements"},
        BadRequest{"ManyToDescribe", kDescribe,
                   "item_ids: ['a', 'b', 'c', 'd', 'e', 'f']",
                   "item_ids: 6 elements; at most 5"},
        BadRequest{"LongIdToDescribe", kDescribe, "item_ids: ['a', 'abcde']",
                   "item_ids[1]: \"abcde\""}),
    [](const auto& info) { return info.param.name; });

TEST(RequestValidationTest, ALongValueIsShownToItsLastWholeCharacterOf64Bytes) {
  v1::RetrieveRequest request;
  request.set_user_id(std::string(63, 'a') + "\xc3\xa9tail");
  EXPECT_THAT(ValidateRequest(TightBounds(), request),
              StatusIs(kInvalid, HasSubstr("\"" + std::string(63, 'a') +
                                           "...\" has 69 bytes")));
}

TEST(RequestValidationTest, ControlBytesAreShownEscaped) {
  v1::RetrieveRequest request;
  request.set_user_id("a\nb\x01\"");
  EXPECT_THAT(ValidateRequest(TightBounds(), request),
              StatusIs(kInvalid, AllOf(HasSubstr(R"("a\nb\001\"")"),
                                       Not(HasSubstr("\n")))));
}

TEST(RequestValidationTest, ValuesAsLongAsTheCutAreShownWhole) {
  v1::RetrieveRequest request;
  request.set_seed_item(std::string(64, 'b'));
  EXPECT_THAT(ValidateRequest(TightBounds(), request),
              StatusIs(kInvalid, HasSubstr(std::string(64, 'b') + "\" has")));
}

}  // namespace
}  // namespace segue
