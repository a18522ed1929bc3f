#include "core/bundle/names.h"

#include <string>

#include "gmock/gmock.h"

namespace segue {
namespace {

TEST(BundleNamesTest, FileNamesStayInTheirFolder) {
  EXPECT_TRUE(IsBundleFileName("items.rows"));
  EXPECT_TRUE(IsBundleFileName("A-b_9.pt"));
  EXPECT_TRUE(IsBundleFileName(std::string(128, 'a')));
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."),
        std::string(".hidden"), std::string("../x"), std::string("a/b"),
        std::string("/etc/passwd"), std::string("a b"), std::string("a\n"),
        std::string("a\0b", 3), std::string("ä"), std::string(129, 'a')}) {
    EXPECT_FALSE(IsBundleFileName(name)) << name;
  }
}

TEST(BundleNamesTest, VersionsAreATimeAndTwelveHexDigits) {
  EXPECT_TRUE(IsVersionName("20260131T235959Z-0123456789ab"));
  for (const char* name :
       {"", "20260131T235959Z-0123456789aB", "20260131T235959Z-0123456789a",
        "20260131T235959Z-0123456789abc", "2026013xT235959Z-0123456789ab",
        "../60131T235959Z-0123456789ab", ".staging-12-34"}) {
    EXPECT_FALSE(IsVersionName(name)) << name;
  }
}

TEST(BundleNamesTest, HashesAreLowerCaseHex) {
  EXPECT_TRUE(IsSha256(std::string(64, 'f')));
  EXPECT_FALSE(IsSha256(std::string(64, 'F')));
  EXPECT_FALSE(IsSha256(std::string(63, '0')));
  EXPECT_FALSE(IsSha256(std::string(64, 'g')));
}

}  // namespace
}  // namespace segue
