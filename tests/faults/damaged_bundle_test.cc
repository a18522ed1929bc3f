// Tests 4, 5 and 11: bundles cut and with flipped bits, and what fails for a
// while only.
#include "tests/faults/damaged_bundle.h"

#include <algorithm>
#include <filesystem>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/bundle/layout.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/faults/pending_call.h"
#include "tests/testing/scale.h"

namespace segue::testing {
namespace {

using StepResult = BundleManager::StepResult;
using ::testing::AllOf;
using ::testing::HasSubstr;

// Cuts `file` at each multiple of `step` that lies within it, until one is not
// refused as it should be. Returns how many were.
int CutEvery(size_t step, const std::string& file, DamagedBundle& bundle) {
  const std::string whole = bundle.Read(file);
  int refused = 0;
  for (size_t end = 0; end < whole.size(); end += step, ++refused) {
    SCOPED_TRACE(absl::StrCat(file, " cut at ", end));
    EXPECT_THAT(bundle.WhyRefused(file, whole.substr(0, end)),
                AllOf(HasSubstr(file), HasSubstr("the manifest says")));
    if (::testing::Test::HasFailure()) break;
  }
  return refused;
}

void LeaveCuts(const std::string& what, int refused) {
  const int all = refused + (::testing::Test::HasFailure() ? 1 : 0);
  LeaveFigure(4, what, absl::StrCat(refused, " of ", all), "all");
}

TEST(DamagedBundleTest, ACutIndexOrTowerIsRefusedAndTheOldOneServes) {
  // An index of 64 KiB; with this seed no item's vector is zero.
  DamagedBundle bundle({.items = 4096, .prefix = "cut", .seed = 2});
  EXPECT_GE(bundle.Read(layout::kIndex).size(), size_t{64} << 10);
  int refused = CutEvery(4096, layout::kIndex, bundle);
  for (const char* tower : {layout::kQueryTower, layout::kItemTower}) {
    refused += CutEvery(512, tower, bundle);
  }
  EXPECT_TRUE(bundle.ServesUndamaged());
  LeaveCuts("index cut every 4 KiB, towers every 512 bytes: refused", refused);
}

TEST(DamagedBundleTest, EveryServedFileCutAnywhereIsRefused) {
  DamagedBundle bundle({.prefix = "cut"});
  EXPECT_GE(bundle.served().size(), 11u);
  const size_t step = AtScale<size_t>(128, 1);
  int refused = 0;
  for (const std::string& file : bundle.served()) {
    refused += CutEvery(step, file, bundle);
  }
  EXPECT_TRUE(bundle.ServesUndamaged());
  LeaveCuts(absl::StrCat("each served file cut at ",
                         step == 1 ? "each byte"
                                   : absl::StrCat("each ", step, "th byte"),
                         ": refused"),
            refused);
}

// A bit somewhere in the served files and the manifest, each byte as likely.
class RandomBit {
 public:
  explicit RandomBit(const DamagedBundle& bundle) {
    for (const std::string& file : bundle.served()) Add(file, bundle);
    Add(layout::kManifest, bundle);
  }

  static constexpr size_t kShown = 20;
  struct Flipped {
    std::string file;
    std::string bytes;
    std::string where;
  };
  Flipped Draw() {
    size_t at = random_() % bytes_;
    auto file = files_.begin();
    while (at >= file->second.size()) at -= (file++)->second.size();
    const int bit = static_cast<int>(random_() % 8);
    Flipped flipped{file->first, file->second, ""};
    flipped.bytes[at] ^= static_cast<char>(1 << bit);
    flipped.where =
        absl::StrCat(file->first, ", byte ", at, ", bit ", bit, ": ",
                     absl::CHexEscape(flipped.bytes.substr(
                         at - std::min(at, kShown), 2 * kShown)));
    return flipped;
  }

 private:
  void Add(const std::string& file, const DamagedBundle& bundle) {
    files_.emplace_back(file, bundle.Read(file));
    bytes_ += files_.back().second.size();
  }

  std::mt19937 random_{5};
  std::vector<std::pair<std::string, std::string>> files_;
  size_t bytes_ = 0;
};

// Of another format than this one: refused for that, before its fields.
bool IsOfALaterFormat(const std::string& manifest) {
  return absl::StrContains(manifest, "\"format_version\": 5") ||
         absl::StrContains(manifest, "\"format_version\": 6");
}

TEST(DamagedBundleTest, NoFlippedBitIsAcceptedNorParsed) {
  DamagedBundle bundle({.prefix = "flip"});
  RandomBit random(bundle);
  const int flips = AtScale(300, 10000);
  int refused = 0;
  for (; refused < flips && !HasFailure(); ++refused) {
    const RandomBit::Flipped flipped = random.Draw();
    SCOPED_TRACE(flipped.where);
    if (flipped.file != layout::kManifest) {
      // By its hash: before anybody looks into it.
      EXPECT_THAT(bundle.WhyRefused(flipped.file, flipped.bytes),
                  AllOf(HasSubstr(flipped.file), HasSubstr("was changed")));
    } else if (IsOfALaterFormat(flipped.bytes)) {
      EXPECT_THAT(
          bundle.WhyRefused(flipped.file, flipped.bytes, "incompatible"),
          HasSubstr("has format"));
    } else {
      EXPECT_THAT(bundle.WhyRefused(flipped.file, flipped.bytes),
                  HasSubstr(layout::kManifest));
    }
  }
  EXPECT_TRUE(bundle.ServesUndamaged());
  LeaveFigure(5, "flipped bits, served files and manifest: refused",
              absl::StrCat(refused, " of ", flips), "all, before parsing");
}

// A file that comes back, as a share does that was away.
TEST(DamagedBundleTest, AfterTwentyFailuresAGoodVersionIsLoaded) {
  RunningServer server;
  const std::string live = server.Serve({.prefix = "old"});
  const std::string next = server.Publish({.prefix = "new"});
  BundleManager& manager = server.server().manager();
  const std::string index =
      absl::StrCat(manager.bundle_root(), "/", next, "/", layout::kIndex);
  std::filesystem::rename(index, index + ".away");
  for (int failures = 0; failures < 20;) {
    const StepResult result = manager.Step();
    if (result == StepResult::kFailed) {
      ++failures;
      EXPECT_EQ(AnsweringVersion(server), live);
    } else {
      ASSERT_EQ(result, StepResult::kDeferred);
    }
  }
  std::filesystem::rename(index + ".away", index);
  int polls = 1;
  while (manager.Step() == StepResult::kDeferred) ASSERT_LT(++polls, 100);
  EXPECT_EQ(AnsweringVersion(server), next);
  EXPECT_LE(polls, 16);
  LeaveFigure(11, "polls after 20 failures until a good version serves",
              absl::StrCat(polls), "at most 16");
}

}  // namespace
}  // namespace segue::testing
