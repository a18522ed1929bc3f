#include "trainer/report/page.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/report/full_report.h"

namespace segue {
namespace {

using ::segue::testing::FullReport;
using ::segue::testing::IsOk;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string PageOf(const std::vector<PageSection>& sections,
                   const std::vector<RunReport>& runs) {
  const auto page = MakePage("A & B", "<p>intro</p>\n", sections, runs);
  EXPECT_THAT(page, IsOk());
  return page.value_or("");
}

// The text from after `begin` to before `end`; `from` moves behind it.
std::string Between(const std::string& text, const std::string& begin,
                    const std::string& end, size_t& from) {
  const size_t at = text.find(begin, from);
  if (at == std::string::npos) return "";
  const size_t first = at + begin.size();
  from = text.find(end, first);
  return text.substr(first, from - first);
}

TEST(MakePageTest, SectionsWithoutABodyAreLeftOut) {
  const std::string page =
      PageOf({{"one", "One <1>", "<p>1</p>"}, {"two", "Two", ""}}, {});
  EXPECT_THAT(page, AllOf(HasSubstr("<title>A &amp; B</title>"),
                          HasSubstr("<p>intro</p>"),
                          HasSubstr("<h2>One &lt;1&gt;</h2>\n<p>1</p>"),
                          HasSubstr("<a href=\"#one\">One &lt;1&gt;</a>"),
                          Not(HasSubstr("#two")), Not(HasSubstr("{{"))));
}

TEST(MakePageTest, PolicyAllowsItsOwnScriptsAndStyleAlone) {
  const std::string page = PageOf({}, {});
  size_t at = 0;
  const std::string policy =
      Between(page, "<meta http-equiv=\"Content-Security-Policy\" content=\"",
              "\"", at);
  EXPECT_THAT(policy,
              AllOf(HasSubstr("default-src 'none'"), Not(HasSubstr("unsafe"))));
  const auto allowed = [](const std::string& text) {
    return HasSubstr(absl::StrCat(
        "'sha256-",
        absl::Base64Escape(absl::HexStringToBytes(Sha256::OfString(text))),
        "'"));
  };
  EXPECT_THAT(policy, allowed(Between(page, "<style>", "</style>", at)));
  EXPECT_THAT(policy, allowed(Between(page, "<script>", "</script>", at)));
  EXPECT_THAT(policy, allowed(Between(page, "<script>", "</script>", at)));
}

TEST(MakePageTest, HoldsWhatChartsNeedOfEachRun) {
  v1::Report report = FullReport();
  report.mutable_index()->set_description("</script>");
  const std::string page = PageOf({}, {{"a \"b\"", report}});
  size_t at = 0;
  EXPECT_THAT(Between(page, "<script type=\"application/json\"", ">", at),
              AllOf(HasSubstr(" data-name=\"a &quot;b&quot;\""),
                    HasSubstr(" data-validation-k=\"20\""),
                    HasSubstr(" data-tune-k=\"100\""),
                    HasSubstr(" data-target-overlap=\"0.97\"")));
  v1::Report parsed;
  const std::string json = Between(page, ">", "</script>", at);
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(json, &parsed).ok())
      << json;
  EXPECT_EQ(parsed.index().description(), "</script>");
  EXPECT_EQ(parsed.evaluation().test().slices_size(), 6);
  EXPECT_EQ(parsed.evaluation().examples_size(), 0) << "they are in the text";
}

}  // namespace
}  // namespace segue
