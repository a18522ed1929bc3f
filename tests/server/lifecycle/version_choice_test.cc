#include "server/lifecycle/version_choice.h"

#include <string>
#include <vector>

#include "tests/server/text_message.h"
#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using segue::testing::FromText;
using segue::testing::IsOk;
using segue::testing::StatusIs;
using ::testing::HasSubstr;

// "1" is older than "2"; names are looked at as bytes.
absl::StatusOr<VersionChoice> Choose(
    const std::string& state, const absl::StatusOr<std::string>& current,
    const std::vector<std::string>& versions = {"3", "1", "2"}) {
  return ChooseVersion(FromText<v1::ServerState>(state), current, versions);
}

TEST(ChooseVersionTest, IsWhatCurrentNames) {
  const auto choice = Choose("highest_version: '2'", "2");
  ASSERT_THAT(choice, IsOk());
  EXPECT_EQ(choice->version, "2");
  EXPECT_EQ(choice->by, ChosenBy::kCurrent);
}

TEST(ChooseVersionTest, APinBeatsDenialCurrentAndWhatServed) {
  for (const auto& current :
       std::vector<absl::StatusOr<std::string>>{"3", absl::NotFoundError("")}) {
    const auto choice =
        Choose("pinned_version: '1' denied_versions: '1' highest_version: '3'",
               current);
    ASSERT_THAT(choice, IsOk());
    EXPECT_EQ(choice->version, "1");
    EXPECT_EQ(choice->by, ChosenBy::kPin);
  }
}

TEST(ChooseVersionTest, ADeniedCurrentLeavesTheNewestBeforeItThatIsNot) {
  const auto choice = Choose("denied_versions: ['4', '2'] highest_version: '3'",
                             "4", {"1", "5", "4", "2", "3", "2"});
  ASSERT_THAT(choice, IsOk());
  EXPECT_EQ(choice->version, "3");
  EXPECT_EQ(choice->by, ChosenBy::kDenial);
}

TEST(ChooseVersionTest, ADeniedCurrentWithoutAnotherIsSaid) {
  EXPECT_THAT(Choose("denied_versions: ['1', '2']", "2"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("2, which is denied")));
}

TEST(ChooseVersionTest, CurrentDoesNotLeadBack) {
  for (const char* state :
       {"highest_version: '3'", "highest_version: '3' denied_versions: '2'"}) {
    EXPECT_THAT(Choose(state, "2"),
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         HasSubstr("older than 3")));
  }
}

TEST(ChooseVersionTest, WithoutCurrentThereIsItsError) {
  EXPECT_THAT(Choose("", absl::NotFoundError("no CURRENT")),
              StatusIs(absl::StatusCode::kNotFound, "no CURRENT"));
}

}  // namespace
}  // namespace segue
