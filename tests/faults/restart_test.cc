// What a server serves after it was killed, and what it does when the disk is
// full.
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/bundle/layout.h"
#include "tests/faults/faults_fixture.h"

namespace segue::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class RestartTest : public FaultsFixture {
 protected:
  std::string StatePath() const { return folder_ / "state.json"; }
  [[nodiscard]] bool StartWithState() {
    return StartServer({.settings = {"state_file=" + StatePath()}});
  }
  // A server serves a moment before it remembers that.
  void AwaitRemembered(const std::string& version) {
    ASSERT_TRUE(process().WaitUntil([&] {
      return absl::StrContains(ReadAll(StatePath()), version);
    })) << server().Log();
  }

  // kill -9 under load: what the clients saw.
  std::vector<Ended> Kill() {
    AwaitSeconds(.2);
    process().Signal(SIGKILL);
    EXPECT_EQ(process().Wait(), -SIGKILL);
    std::vector<Ended> calls = EndLoad();
    for (const Ended& call : calls) {
      if (call.code == grpc::OK) {
        EXPECT_EQ(call.fault, "");
      } else {
        EXPECT_EQ(call.code, grpc::UNAVAILABLE) << call.fault;
      }
    }
    return calls;
  }

  void DamageCurrent() const {
    std::ofstream(Root() + "/" + layout::kCurrent) << "20260131T2359";
  }

  // The next write of the state ends as on a full disk; until then there is
  // room.
  void FillDisk() const {
    fs::create_symlink("/dev/full", StatePath() + ".tmp");
  }
};

TEST_F(RestartTest, KilledUnderLoadItServesTheLastBundleAgain) {
  const int rounds = AtScale(3, 50);
  Publish("first");
  const std::string last = Publish("last");
  int64_t calls = 0;
  for (int i = 0; i < rounds; ++i) {
    ASSERT_TRUE(StartWithState());
    EXPECT_EQ(Answering(), last);
    BeginLoad(1000);
    calls += static_cast<int64_t>(Kill().size());
  }
  ASSERT_TRUE(StartWithState());
  EXPECT_EQ(Answering(), last);
  LeaveFigure(24,
              absl::StrCat("kill -9 under load, ", rounds, " times, ", calls,
                           " calls: the last bundle serves again"),
              "yes", "yes");
}

TEST_F(RestartTest, AfterAKillPinsAndDenialsHoldThoughCurrentIsDamaged) {
  const std::string pinned = Publish("good");
  const std::string denied = Publish("bad");
  ASSERT_TRUE(StartWithState());
  EXPECT_EQ(Answering(), denied);
  ASSERT_EQ(server().Admin({"rollback"}).code, 0);
  BeginLoad(1000);
  Kill();
  DamageCurrent();
  ASSERT_TRUE(StartWithState());
  EXPECT_EQ(Answering(), pinned);
  const Finished status = server().Admin({"status"});
  EXPECT_THAT(status.output, HasSubstr(denied));
  LeaveFigure(24, "kill -9 and CURRENT damaged: what was pinned serves", "yes",
              "yes");
}

TEST_F(RestartTest, WithADamagedCurrentItServesTheLastGoodBundle) {
  const std::string last = Publish("last");
  ASSERT_TRUE(StartWithState());
  AwaitRemembered(last);
  BeginLoad(1000);
  Kill();
  DamageCurrent();
  ASSERT_TRUE(StartWithState());
  EXPECT_EQ(Answering(), last);
  AwaitReloads("corrupt", 1);
  const std::string next = Publish("next");
  EXPECT_TRUE(process().WaitUntil([&] { return Answering() == next; }));
  LeaveFigure(24, "kill -9 and CURRENT damaged: the last good bundle serves",
              "yes", "yes");
}

TEST_F(RestartTest, WithADamagedBundleItServesTheLastGoodOne) {
  const std::string last = Publish("last");
  const std::string damaged = Prepare("damaged");
  ASSERT_TRUE(StartWithState());
  AwaitRemembered(last);
  BeginLoad(1000);
  Place(damaged);
  Damage(damaged);
  PointAt(damaged);
  AwaitReloads("corrupt", 1);
  Kill();
  ASSERT_TRUE(StartWithState());
  EXPECT_EQ(Answering(), last);
  Mend(damaged);
  EXPECT_TRUE(process().WaitUntil([&] { return Answering() == damaged; }));
  LeaveFigure(24, "kill -9 and a damaged new bundle: the last good one serves",
              "yes", "yes");
}

TEST_F(RestartTest, WithAFullDiskItServesAndSaysWhatItDoesNotRemember) {
  const std::string first = Publish("first");
  ASSERT_TRUE(StartWithState());
  AwaitRemembered(first);
  const std::string remembered = ReadAll(StatePath());
  BeginLoad(500);
  AwaitAnswerOf(first);
  FillDisk();
  const std::string next = Publish("next");
  AwaitAnswerOf(next);
  ASSERT_TRUE(process().WaitUntil([&] {
    return absl::StrContains(server().Log(), "what served is not remembered");
  }));
  FillDisk();
  const Finished pinned = server().Admin({"pin", first});
  EXPECT_EQ(pinned.code, 1);
  EXPECT_THAT(pinned.errors, HasSubstr("not remembered after a restart"));
  EXPECT_EQ(Answering(), first);
  EXPECT_EQ(ReadAll(StatePath()), remembered);
  const std::vector<Ended> calls = EndGoodLoad();
  LeaveFigure(24, "the disk is full for state_file: failed", FailedOf(calls),
              "0");
  process().Signal(SIGKILL);
  process().Wait();
  ASSERT_TRUE(StartWithState());
  EXPECT_EQ(Answering(), next);
}

}  // namespace
}  // namespace segue::testing
