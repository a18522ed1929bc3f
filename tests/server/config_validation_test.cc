#include "server/config_validation.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/config/text_proto.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using segue::testing::IsOk;
using segue::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// Validates the defaults and a bundle root, changed by `set`.
absl::Status Validate(const std::vector<std::string>& set) {
  v1::ServerConfig config;
  config.set_bundle_root("bundles");
  EXPECT_THAT(LoadConfig("", set, config), IsOk());
  return ValidateServerConfig(config);
}

TEST(ConfigValidationTest, DefaultsNeedABundleRootOnly) {
  EXPECT_THAT(Validate({}), IsOk());
  EXPECT_THAT(ValidateServerConfig({}),
              StatusIs(kInvalid, HasSubstr("bundle_root is empty")));
}

// Who names it wants signatures.
TEST(ConfigValidationTest, AnEmptyFileOfKeysTurnsNothingOff) {
  EXPECT_THAT(Validate({"trusted_keys_file="}),
              StatusIs(kInvalid, HasSubstr("trusted_keys_file is empty")));
}

struct Bounds {
  const char* field;
  const char* least;
  const char* below;
  const char* most;
  const char* above;
};

void PrintTo(const Bounds& bounds, std::ostream* out) { *out << bounds.field; }

class ConfigBoundsTest : public ::testing::TestWithParam<Bounds> {};

TEST_P(ConfigBoundsTest, AreThemselvesFine) {
  const std::string field = std::string(GetParam().field) + "=";
  EXPECT_THAT(Validate({field + GetParam().least}), IsOk());
  EXPECT_THAT(Validate({field + GetParam().most}), IsOk());
}

TEST_P(ConfigBoundsTest, ABeyondIsRefusedWithFieldAndValue) {
  const std::string field = GetParam().field;
  for (const std::string value : {GetParam().below, GetParam().above}) {
    EXPECT_THAT(
        Validate({absl::StrCat(field, "=", value)}),
        StatusIs(kInvalid, HasSubstr(absl::StrCat(field, " is ", value, ";"))));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, ConfigBoundsTest,
    ::testing::Values(
        Bounds{"poll_interval_ms", "10", "9", "86400000", "86400001"},
        Bounds{"log_request_share", "0", "-0.1", "1", "1.1"},
        Bounds{"worker_threads", "0", "-1", "1024", "1025"},
        Bounds{"max_queued_requests", "1", "0", "1000000", "1000001"},
        Bounds{"max_batch", "1", "0", "1024", "1025"},
        Bounds{"max_top_k", "1", "0", "1000000", "1000001"},
        Bounds{"max_history", "1", "0", "1000000", "1000001"},
        Bounds{"max_excluded", "0", "-1", "1000000", "1000001"},
        Bounds{"max_id_bytes", "1", "0", "65535", "65536"},
        Bounds{"max_batch_requests", "1", "0", "1000000", "1000001"},
        Bounds{"max_features", "0", "-1", "1000000", "1000001"},
        Bounds{"max_message_bytes", "1024", "1023", "1073741824", "1073741825"},
        Bounds{"max_concurrent_streams", "1", "0", "1000000", "1000001"},
        Bounds{"drain_timeout_ms", "0", "-1", "86400000", "86400001"},
        Bounds{"drain_delay_ms", "0", "-1", "86400000", "86400001"},
        Bounds{"live_hit_user_share", "0", "-0.1", "1", "1.1"},
        Bounds{"live_hit_ttl_s", "1", "0", "86400", "86401"},
        Bounds{"live_hit_bytes", "1024", "1023", "17179869184", "17179869185"}),
    [](const auto& info) { return info.param.field; });

TEST(ConfigValidationTest, ABundleLimitIsNotNegative) {
  EXPECT_THAT(Validate({"max_bundle_bytes=0"}), IsOk());
  EXPECT_THAT(Validate({"max_bundle_bytes=-1"}),
              StatusIs(kInvalid, HasSubstr("max_bundle_bytes is -1")));
}

TEST(ConfigValidationTest, AShadowNeedsAShareOfAProcessor) {
  EXPECT_THAT(Validate({"shadow_processor=1"}), IsOk());
  EXPECT_THAT(Validate({"shadow_processor=0"}),
              StatusIs(kInvalid, HasSubstr("shadow_processor is 0")));
  EXPECT_THAT(Validate({"shadow_processor=1.5"}),
              StatusIs(kInvalid, HasSubstr("shadow_processor is 1.5")));
}

TEST(ConfigValidationTest, AddressesAreParsed) {
  EXPECT_THAT(Validate({"listen_address=nowhere"}),
              StatusIs(kInvalid, HasSubstr("listen_address: \"nowhere\"")));
  EXPECT_THAT(Validate({"listen_address="}),
              StatusIs(kInvalid, HasSubstr("listen_address: \"\"")));
  EXPECT_THAT(Validate({"http_address=h:70000"}),
              StatusIs(kInvalid, HasSubstr("http_address: \"h:70000\"")));
}

TEST(ConfigValidationTest, AnEmptyHttpAddressIsOff) {
  EXPECT_THAT(Validate({"http_address="}), IsOk());
}

TEST(ConfigValidationTest, OneAddressDoesNotServeBoth) {
  EXPECT_THAT(Validate({"listen_address=h:80", "http_address=h:80"}),
              StatusIs(kInvalid, HasSubstr("http_address is h:80")));
  EXPECT_THAT(Validate({"listen_address=h:0", "http_address=h:0"}), IsOk());
  EXPECT_THAT(Validate({"listen_address=h:80", "http_address=g:80"}), IsOk());
}

TEST(ConfigValidationTest, EveryViolationIsNamedAtOnce) {
  EXPECT_THAT(
      Validate({"bundle_root=", "listen_address=x", "max_batch=0"}),
      StatusIs(kInvalid,
               AllOf(HasSubstr("bundle_root"), HasSubstr("\nlisten_address"),
                     HasSubstr("\nmax_batch"), Not(HasSubstr("max_top_k")))));
}

}  // namespace
}  // namespace segue
