#include "core/base/utf8.h"

#include <ostream>
#include <string>

#include "gmock/gmock.h"

namespace segue {
namespace {

struct Bytes {
  const char* name;
  std::string text;
  bool valid;
};

void PrintTo(const Bytes& bytes, std::ostream* out) { *out << bytes.name; }

class IsValidUtf8Test : public ::testing::TestWithParam<Bytes> {};

TEST_P(IsValidUtf8Test, FollowsTheRfc) {
  EXPECT_EQ(IsValidUtf8(GetParam().text), GetParam().valid);
  // Wherever it stands.
  EXPECT_EQ(IsValidUtf8("a" + GetParam().text + "z"), GetParam().valid);
}

INSTANTIATE_TEST_SUITE_P(
    Table, IsValidUtf8Test,
    ::testing::Values(Bytes{"Empty", "", true},
                      Bytes{"Nul", std::string(1, '\0'), true},
                      Bytes{"LastOfOneByte", "\x7f", true},
                      Bytes{"FirstOfTwoBytes", "\xc2\x80", true},
                      Bytes{"LastOfTwoBytes", "\xdf\xbf", true},
                      Bytes{"FirstOfThreeBytes", "\xe0\xa0\x80", true},
                      Bytes{"LastBeforeSurrogates", "\xed\x9f\xbf", true},
                      Bytes{"FirstAfterSurrogates", "\xee\x80\x80", true},
                      Bytes{"FirstOfFourBytes", "\xf0\x90\x80\x80", true},
                      Bytes{"LastOfUnicode", "\xf4\x8f\xbf\xbf", true},
                      Bytes{"LoneContinuation", "\x80", false},
                      Bytes{"OverlongOfTwo", "\xc1\xbf", false},
                      Bytes{"OverlongOfThree", "\xe0\x9f\xbf", false},
                      Bytes{"OverlongOfFour", "\xf0\x8f\xbf\xbf", false},
                      Bytes{"FirstSurrogate", "\xed\xa0\x80", false},
                      Bytes{"LastSurrogate", "\xed\xbf\xbf", false},
                      Bytes{"PastUnicode", "\xf4\x90\x80\x80", false},
                      Bytes{"NoLead", "\xf5\x80\x80\x80", false},
                      Bytes{"CutAfterLead", "\xc2", false},
                      Bytes{"CutOfThree", "\xe2\x82", false},
                      Bytes{"CutOfFour", "\xf0\x9f\x8e", false},
                      Bytes{"BadThirdByte", "\xe2\x82\xc0", false},
                      Bytes{"BadFourthByte", "\xf0\x9f\x8e\x28", false},
                      Bytes{"Latin1", "caf\xe9", false}),
    [](const auto& info) { return info.param.name; });

TEST(Utf8CharacterBytesTest, TellsWhereTheFirstCharacterEnds) {
  EXPECT_EQ(Utf8CharacterBytes("az"), 1);
  EXPECT_EQ(Utf8CharacterBytes("\xc2\x80z"), 2);
  EXPECT_EQ(Utf8CharacterBytes("\xe2\x82\xacz"), 3);
  EXPECT_EQ(Utf8CharacterBytes("\xf0\x9f\x8e\xb5z"), 4);
}

TEST(Utf8CharacterBytesTest, IsZeroWhereThereIsNone) {
  EXPECT_EQ(Utf8CharacterBytes(""), 0);
  EXPECT_EQ(Utf8CharacterBytes("\xffz"), 0);
  EXPECT_EQ(Utf8CharacterBytes("\xe2\x82"), 0);
}

}  // namespace
}  // namespace segue
