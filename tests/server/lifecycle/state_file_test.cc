#include "server/lifecycle/state_file.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"

namespace segue {
namespace {

using segue::testing::IsOk;
using segue::testing::StatusIs;
using segue::testing::TempFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kOne[] = "20260131T235959Z-0123456789ab";
constexpr char kTwo[] = "20260201T235959Z-0123456789ab";

class StateFileTest : public ::testing::Test {
 protected:
  const TempFolder folder_;
  const std::string path_ = folder_ / "server.state";
};

TEST_F(StateFileTest, NoFileIsAnEmptyState) {
  const auto state = ReadStateFile(path_);
  ASSERT_THAT(state, IsOk());
  EXPECT_EQ(state->ByteSizeLong(), 0u);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(StateFileTest, WhatIsWrittenIsReadAgain) {
  v1::ServerState state;
  state.set_pinned_version(kOne);
  state.add_denied_versions(kTwo);
  state.set_highest_version(kTwo);
  ASSERT_THAT(WriteStateFile(path_, state), IsOk());
  const auto again = ReadStateFile(path_);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->pinned_version(), kOne);
  EXPECT_THAT(again->denied_versions(), ElementsAre(kTwo));
  EXPECT_EQ(again->highest_version(), kTwo);
}

TEST_F(StateFileTest, WithoutAPathNothingIsKept) {
  v1::ServerState state;
  state.set_pinned_version(kOne);
  EXPECT_THAT(WriteStateFile("", state), IsOk());
  EXPECT_EQ(ReadStateFile("")->pinned_version(), "");
}

TEST_F(StateFileTest, AnythingElseIsDataLossWithAdvice) {
  for (const char* text :
       {"{", "{\"pinned_version\": \"../x\"}", "{\"pin\": \"x\"}",
        "{\"denied_versions\": [\"\"]}", "{\"highest_version\": \"9\"}"}) {
    std::ofstream(path_) << text;
    EXPECT_THAT(ReadStateFile(path_),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("remove it")))
        << text;
  }
}

TEST_F(StateFileTest, WhatCannotBeWrittenIsSaid) {
  EXPECT_THAT(WriteStateFile(folder_ / "no/such/folder/state", {}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("no/such")));
}

}  // namespace
}  // namespace segue
