#include "server/net/address.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using segue::testing::IsOk;
using segue::testing::StatusIs;
using ::testing::HasSubstr;

struct Good {
  const char* text;
  const char* host;
  int port;
};

class AddressTest : public ::testing::TestWithParam<Good> {};

TEST_P(AddressTest, IsParsedAndFormattedAsItWas) {
  const auto address = ParseAddress(GetParam().text);
  ASSERT_THAT(address, IsOk());
  EXPECT_EQ(address->host, GetParam().host);
  EXPECT_EQ(address->port, GetParam().port);
  EXPECT_EQ(FormatAddress(*address), GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    Table, AddressTest,
    ::testing::Values(Good{"127.0.0.1:50051", "127.0.0.1", 50051},
                      Good{"localhost:9464", "localhost", 9464},
                      Good{"h:0", "h", 0}, Good{"h:65535", "h", 65535},
                      Good{"[::1]:0", "::1", 0}, Good{"[::]:80", "::", 80}));

TEST(AddressTest, LoopbackIsWhatOnlyThisMachineReaches) {
  for (const char* host : {"localhost", "127.0.0.1", "127.1.2.3", "::1"}) {
    EXPECT_TRUE(IsLoopback({host, 1})) << host;
  }
  for (const char* host :
       {"0.0.0.0", "::", "10.0.0.1", "12.7.0.1", "127.example.com"}) {
    EXPECT_FALSE(IsLoopback({host, 1})) << host;
  }
}

class BadAddressTest : public ::testing::TestWithParam<const char*> {};

TEST_P(BadAddressTest, IsInvalidAndQuoted) {
  EXPECT_THAT(ParseAddress(GetParam()),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr(absl::StrCat("\"", GetParam(), "\""))));
}

INSTANTIATE_TEST_SUITE_P(Table, BadAddressTest,
                         ::testing::Values("", "localhost", ":80", "[]:80",
                                           "h:", "h:x", "h:1x", "h:-1",
                                           "h:65536", "h:99999999999", "::1:80",
                                           "[::1]", "[::1:80", "::1]:80"));

}  // namespace
}  // namespace segue
