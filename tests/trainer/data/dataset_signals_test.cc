// What kinds of events are history, targets and dislikes.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"
#include "tests/trainer/data/dataset_text.h"
#include "tests/trainer/data/table_files.h"
#include "trainer/data/dataset_reader.h"

namespace segue {
namespace {

using ::segue::testing::Config;
using ::segue::testing::EventLines;
using ::segue::testing::Id;
using ::segue::testing::IsOk;
using ::segue::testing::TempFolder;
using ::segue::testing::WriteText;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Only listens have a ratio, as in Yambda's multi_event.
constexpr char kEvents[] =
    "uid,timestamp,item_id,event_type,ratio\n"
    "1,1,a,listen,80\n"
    "1,5,d,dislike,\n"
    "1,2,b,listen,20\n"
    "1,3,b,like,\n"
    "1,4,c,dislike,\n"
    "1,6,c,listen,10\n"
    "2,1,a,listen,50\n"
    "2,2,a,dislike,\n"
    "2,9,a,unlike,\n"
    "3,1,a,dislike,\n";

constexpr char kListenPlusOrLike[] =
    "target_filters { any_of { column: 'event_type' one_of: 'like' } "
    "any_of { column: 'ratio' at_least: 50 } } ";
constexpr char kDislikes[] =
    "negative_filters { column: 'event_type' one_of: 'dislike' } ";
constexpr char kNoUnlikes[] =
    "filters { column: 'event_type' one_of: 'listen' one_of: 'like' "
    "one_of: 'dislike' } ";

class DatasetSignalsTest : public ::testing::Test {
 protected:
  Dataset Read(const std::string& events) {
    WriteText(folder_ / "events.csv", kEvents);
    auto dataset = ReadDataset(
        Config(folder_ / "events.csv", "events { " + events + "}"),
        [this](absl::string_view line) { lines_.emplace_back(line); });
    EXPECT_THAT(dataset, IsOk());
    return dataset.ok() ? *std::move(dataset) : Dataset();
  }

  TempFolder folder_;
  std::vector<std::string> lines_;
};

// "user item@time" of each dislike.
std::vector<std::string> DislikeLines(const Dataset& dataset) {
  const Dislikes& dislikes = dataset.log.dislikes;
  std::vector<std::string> lines;
  for (size_t user = 0; user + 1 < dislikes.user_begins.size(); ++user) {
    for (int64_t d = dislikes.user_begins[user];
         d < dislikes.user_begins[user + 1]; ++d) {
      lines.push_back(absl::StrCat(Id(dataset.users, user), " ",
                                   Id(dataset.items, dislikes.items[d]), "@",
                                   dislikes.times[d]));
    }
  }
  return lines;
}

TEST_F(DatasetSignalsTest, WithoutFiltersEveryEventIsATarget) {
  const Dataset dataset = Read("");
  EXPECT_THAT(dataset.log.targets, IsEmpty());
  EXPECT_TRUE(dataset.log.IsTarget(0));
  EXPECT_EQ(dataset.counts.target_events, 10);
  EXPECT_THAT(DislikeLines(dataset), IsEmpty());
}

TEST_F(DatasetSignalsTest, TargetsFollowTheirEvents) {
  const Dataset dataset =
      Read(absl::StrCat(kNoUnlikes, kListenPlusOrLike, kDislikes));
  EXPECT_THAT(EventLines(dataset), ElementsAre("1: a@1 b@2 b@3 c@6", "2: a@1"));
  EXPECT_THAT(dataset.log.targets, ElementsAre(true, false, true, false, true));
  EXPECT_FALSE(dataset.log.IsTarget(1));
  EXPECT_EQ(dataset.counts.target_events, 3);
  EXPECT_THAT(lines_, Contains("3 of 5 events can be targets"));
}

TEST_F(DatasetSignalsTest, DislikesAreKeptApartInTheOrderOfTime) {
  const Dataset dataset = Read(absl::StrCat(kNoUnlikes, kDislikes));
  // Item d and user 3 have no event that counts.
  EXPECT_THAT(DislikeLines(dataset), ElementsAre("1 c@4", "2 a@2"));
  EXPECT_EQ(dataset.users.size(), 2);
  EXPECT_FALSE(dataset.items.Find("d").has_value());
  EXPECT_EQ(dataset.counts.dislike_rows, 4);
  EXPECT_EQ(dataset.counts.dropped_dislikes, 2);
  EXPECT_EQ(dataset.counts.filtered_rows, 1);
}

TEST_F(DatasetSignalsTest, DislikesOfDroppedUsersGoWithThem) {
  const Dataset dataset =
      Read(absl::StrCat(kNoUnlikes, kDislikes, "min_events_per_user: 2"));
  EXPECT_THAT(EventLines(dataset), ElementsAre("1: a@1 b@2 b@3 c@6"));
  EXPECT_THAT(DislikeLines(dataset), ElementsAre("1 c@4"));
}

TEST_F(DatasetSignalsTest, EveryFilterOfTargetsMustHold) {
  const Dataset dataset = Read(absl::StrCat(
      kListenPlusOrLike, "target_filters { column: 'timestamp' at_least: 2 }"));
  EXPECT_THAT(dataset.log.targets,
              ElementsAre(false, false, true, false, false, false,  // user 1
                          false, false, false, false));
}

TEST_F(DatasetSignalsTest, AnyOfFiltersWhatIsRead) {
  const Dataset dataset = Read(
      "filters { any_of { column: 'ratio' at_most: 20 } "
      "any_of { column: 'event_type' one_of: 'unlike' } }");
  EXPECT_THAT(EventLines(dataset), ElementsAre("1: b@2 c@6", "2: a@9"));
}

}  // namespace
}  // namespace segue
