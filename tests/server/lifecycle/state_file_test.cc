#include "server/lifecycle/state_file.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/server/text_message.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"

namespace segue {
namespace {

using segue::testing::FromText;
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
  const auto file = StateFile::Open(path_);
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(file->state().ByteSizeLong(), 0u);
  EXPECT_TRUE(file->persistent());
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(StateFileTest, WhatIsSetIsThereAfterARestart) {
  {
    auto file = StateFile::Open(path_);
    ASSERT_THAT(file, IsOk());
    v1::ServerState state;
    state.set_pinned_version(kOne);
    state.add_denied_versions(kTwo);
    state.set_highest_version(kTwo);
    ASSERT_THAT(file->Set(state), IsOk());
    EXPECT_EQ(file->state().pinned_version(), kOne);
  }
  const auto file = StateFile::Open(path_);
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(file->state().pinned_version(), kOne);
  EXPECT_THAT(file->state().denied_versions(), ElementsAre(kTwo));
  EXPECT_EQ(file->state().highest_version(), kTwo);
}

TEST_F(StateFileTest, WithoutAPathNothingIsKept) {
  auto file = StateFile::Open("");
  ASSERT_THAT(file, IsOk());
  EXPECT_FALSE(file->persistent());
  v1::ServerState state;
  state.set_pinned_version(kOne);
  EXPECT_THAT(file->Set(state), IsOk());
  EXPECT_EQ(file->state().pinned_version(), kOne);
  EXPECT_EQ(StateFile::Open("")->state().pinned_version(), "");
}

TEST_F(StateFileTest, AnythingElseIsDataLossWithAdvice) {
  for (const char* text :
       {"{", "{\"pinned_version\": \"../x\"}", "{\"pin\": \"x\"}",
        "{\"denied_versions\": [\"\"]}", "{\"highest_version\": \"9\"}"}) {
    std::ofstream(path_) << text;
    EXPECT_THAT(StateFile::Open(path_),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("remove it")))
        << text;
  }
}

TEST_F(StateFileTest, WhatCannotBeWrittenChangesNothing) {
  auto file = StateFile::Open(folder_ / "no/such/folder/state");
  ASSERT_THAT(file, IsOk());
  v1::ServerState state;
  state.set_pinned_version(kOne);
  EXPECT_FALSE(file->Set(state).ok());
  EXPECT_EQ(file->state().pinned_version(), "");
}

}  // namespace
}  // namespace segue
