// Publishers die while a server looks at what they write.
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/bundle/layout.h"
#include "tests/faults/faults_fixture.h"

namespace segue::testing {
namespace {

using Clock = std::chrono::steady_clock;
using ::testing::AnyOf;

// Files that take a while to write and to read.
constexpr int kManyItems = 20000;

class KilledPublisherTest : public FaultsFixture {
 protected:
  // Publishes into the bundle root, in a process of its own.
  std::unique_ptr<Process> BeginToPublish(const std::string& prefix) {
    const std::string version = Prepare(prefix, kManyItems);
    return Process::Start(
        {SEGUE_COPY_PUBLISHER, Workshop() + "/" + version, Root()},
        folder_.path(), "publisher");
  }

  // To its end: the version.
  std::string PublishApart(const std::string& prefix) {
    auto publisher = BeginToPublish(prefix);
    EXPECT_EQ(publisher->Wait(), 0) << publisher->Errors();
    const std::string output = publisher->Output();
    return output.substr(0, output.find('\n'));
  }

  bool HasLeftovers() const {
    for (const auto& entry : std::filesystem::directory_iterator(Root())) {
      if (absl::StartsWith(entry.path().filename().string(),
                           layout::kStagingPrefix)) {
        return true;
      }
    }
    return false;
  }
};

TEST_F(KilledPublisherTest, WhateverTheyLeaveNoCallFailsAndTheNextGoesLive) {
  const int points = AtScale(15, 200);
  const std::string first = PublishApart("first");
  ASSERT_TRUE(StartServer());
  BeginLoad(200);
  AwaitAnswerOf(first);

  auto undisturbed = BeginToPublish("undisturbed");
  const Clock::time_point begin = Clock::now();
  ASSERT_EQ(undisturbed->Wait(), 0) << undisturbed->Errors();
  const Clock::duration took = Clock::now() - begin;

  int halfway = 0;
  for (int i = 0; i < points; ++i) {
    auto publisher = BeginToPublish(absl::StrCat("killed", i));
    publisher->EndsWithin(std::chrono::duration_cast<std::chrono::milliseconds>(
        took * i / points));
    publisher->Signal(SIGKILL);
    EXPECT_THAT(publisher->Wait(), AnyOf(-SIGKILL, 0)) << publisher->Errors();
    if (HasLeftovers()) ++halfway;
  }
  // Or the kills above would prove nothing.
  EXPECT_GT(halfway, 0);

  const std::string last = PublishApart("last");
  AwaitAnswerOf(last);
  EXPECT_FALSE(HasLeftovers());
  EXPECT_EQ(FailedReloads(), 0);
  const std::vector<Ended> calls = EndGoodLoad();
  LeaveFigure(3,
              absl::StrCat("publisher killed at ", points, " points, ", halfway,
                           " of them halfway: failed"),
              FailedOf(calls), "0");
}

}  // namespace
}  // namespace segue::testing
