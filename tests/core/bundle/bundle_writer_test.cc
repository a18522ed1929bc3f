#include "core/bundle/bundle_writer.h"

#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/bundle/bundle_reader.h"
#include "core/bundle/version_use.h"
#include "tests/core/bundle/toy_bundle.h"
#include "tests/testing/temp_folder.h"

namespace segue {
namespace {

namespace fs = std::filesystem;
using ::testing::_;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::PublishToyBundle;
using testing::StageToyFiles;
using ::testing::StartsWith;
using testing::StatusIs;
using testing::TempFolder;
using testing::ToyContent;

class BundleWriterTest : public ::testing::Test {
 protected:
  // What stands in the root, but the lock.
  std::set<std::string> Names() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(root_)) {
      names.insert(entry.path().filename().string());
    }
    names.erase(".lock");
    return names;
  }

  std::unique_ptr<BundleWriter> NewWriter() {
    auto writer = BundleWriter::Create(root_);
    EXPECT_THAT(writer, IsOk());
    return *std::move(writer);
  }

  const TempFolder folder_;
  const std::string root_ = folder_ / "bundles";
};

TEST_F(BundleWriterTest, PublishesAWholeVersionAndNothingElse) {
  const std::string version = PublishToyBundle(root_, "one");
  EXPECT_EQ(Names(), (std::set<std::string>{"CURRENT", version}));
  EXPECT_EQ(ReadCurrentVersion(root_).value(), version);
  const auto bundle = OpenBundle(root_ + "/" + version, VerifyScope::kAll);
  ASSERT_THAT(bundle, IsOk());
  EXPECT_EQ(bundle->version(), version);
  EXPECT_EQ(bundle->content().items(), 3);
  EXPECT_EQ(ReadFile(bundle->Path(layout::kSchema), 100).value(),
            "schema.pb of one");
}

TEST_F(BundleWriterTest, NothingIsVisibleBeforePublish) {
  auto writer = NewWriter();
  StageToyFiles(*writer, "one");
  ASSERT_THAT(writer->Seal(ToyContent()), IsOk());
  EXPECT_THAT(ReadCurrentVersion(root_),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("CURRENT")));
  ASSERT_EQ(Names().size(), 1u);
  EXPECT_THAT(*Names().begin(), StartsWith(layout::kStagingPrefix));
}

TEST_F(BundleWriterTest, AnAbandonedWriterLeavesNothing) {
  {
    auto writer = NewWriter();
    StageToyFiles(*writer, "one");
    ASSERT_THAT(writer->Seal(ToyContent()), IsOk());
  }
  EXPECT_TRUE(Names().empty());
}

TEST_F(BundleWriterTest, MeasuredFilesStayOutsideOfTheContentHash) {
  const auto hash = [&](const std::string& report) {
    auto writer = NewWriter();
    EXPECT_THAT(WriteFileAtomically(
                    writer->Add("report.json", FileRole::kMeasured), report),
                IsOk());
    EXPECT_THAT(WriteFileAtomically(writer->Add("schema.pb", FileRole::kServed),
                                    "same"),
                IsOk());
    return writer->Seal(ToyContent())->content_hash();
  };
  EXPECT_EQ(hash("took 3 s"), hash("took 4 s"));
}

TEST_F(BundleWriterTest, AMeasurementOfWhatWasSealedJoinsTheSameVersion) {
  auto writer = NewWriter();
  StageToyFiles(*writer, "one");
  const auto first = writer->Seal(ToyContent());
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(
      WriteFileAtomically(writer->Add("measured.json", FileRole::kMeasured),
                          first->version()),
      IsOk());
  const auto second = writer->Seal(ToyContent());
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(second->version(), first->version());
  ASSERT_THAT(writer->Publish(/*keep_versions=*/0), IsOk());
  const auto bundle =
      OpenBundle(root_ + "/" + first->version(), VerifyScope::kAll);
  ASSERT_THAT(bundle, IsOk());
  EXPECT_EQ(ReadFile(bundle->Path("measured.json"), 100).value(),
            first->version());
}

TEST_F(BundleWriterTest, WhatIsWrittenAnewBetweenSealsIsReadAnew) {
  auto writer = NewWriter();
  StageToyFiles(*writer, "one");
  const auto first = writer->Seal(ToyContent());
  ASSERT_THAT(first, IsOk());
  // As long as what it replaces.
  ASSERT_THAT(WriteFileAtomically(
                  absl::StrCat(writer->staging_folder(), "/", layout::kSchema),
                  absl::StrCat(layout::kSchema, " of two")),
              IsOk());
  const auto second = writer->Seal(ToyContent());
  ASSERT_THAT(second, IsOk());
  EXPECT_NE(second->content_hash(), first->content_hash());
  ASSERT_THAT(writer->Publish(/*keep_versions=*/0), IsOk());
  EXPECT_THAT(OpenBundle(root_ + "/" + second->version(), VerifyScope::kAll),
              IsOk());
}

TEST_F(BundleWriterTest, AVersionStandsBehindAllThatThereAre) {
  // Of a publisher whose clock was ahead.
  const std::string ahead = "29990131T235959Z-ffffffffffff";
  ASSERT_THAT(CreateFolders(root_ + "/" + ahead), IsOk());
  const std::string next = PublishToyBundle(root_, "one");
  EXPECT_GT(next, ahead);
  EXPECT_THAT(next, StartsWith("29990201T000000Z-"));
  EXPECT_GT(PublishToyBundle(root_, "two"), next);
}

TEST_F(BundleWriterTest, TheOrderOfAddingDoesNotMatter) {
  const auto hash = [&](const char* first, const char* second) {
    auto writer = NewWriter();
    for (const char* name : {first, second}) {
      EXPECT_THAT(
          WriteFileAtomically(writer->Add(name, FileRole::kServed), name),
          IsOk());
    }
    return writer->Seal(ToyContent())->content_hash();
  };
  EXPECT_EQ(hash("a", "b"), hash("b", "a"));
}

TEST_F(BundleWriterTest, TheSameContentIsNotPublishedTwice) {
  const std::string version = PublishToyBundle(root_, "one");
  EXPECT_EQ(PublishToyBundle(root_, "one"), version);
  EXPECT_EQ(Names(), (std::set<std::string>{"CURRENT", version}));
}

TEST_F(BundleWriterTest, ADamagedCurrentVersionIsReplacedByTheSameContent) {
  const std::string version = PublishToyBundle(root_, "one");
  fs::resize_file(root_ + "/" + version + "/" + layout::kIndex, 3);
  const std::string mended = PublishToyBundle(root_, "one");
  EXPECT_NE(mended, version);
  EXPECT_EQ(ReadCurrentVersion(root_).value(), mended);
  EXPECT_THAT(OpenBundle(root_ + "/" + mended, VerifyScope::kAll), IsOk());
}

TEST_F(BundleWriterTest, AnUnreadableCurrentIsReplaced) {
  ASSERT_THAT(CreateFolders(root_), IsOk());
  ASSERT_THAT(WriteFileAtomically(root_ + "/CURRENT", "../outside\n"), IsOk());
  const std::string version = PublishToyBundle(root_, "one");
  EXPECT_EQ(ReadCurrentVersion(root_).value(), version);
}

TEST_F(BundleWriterTest, ASecondPublisherIsTurnedAway) {
  auto first = NewWriter();
  EXPECT_THAT(BundleWriter::Create(root_),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr(root_)));
  first.reset();
  EXPECT_THAT(BundleWriter::Create(root_), IsOk());
}

// _exit() runs no destructor: as good as a kill for what is on disk.
TEST_F(BundleWriterTest, WhatAKilledPublisherLeftIsClearedAndUnlocked) {
  PublishToyBundle(root_, "one");
  const pid_t child = ::fork();
  if (child == 0) {
    auto writer = BundleWriter::Create(root_);
    if (!writer.ok()) ::_exit(1);
    StageToyFiles(**writer, "two");
    ::_exit((*writer)->Seal(ToyContent()).ok() ? 0 : 2);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  ASSERT_EQ(Names().size(), 3u);  // CURRENT, one, the dead one's staging

  const std::string three = PublishToyBundle(root_, "three");
  EXPECT_EQ(Names().size(), 3u);  // CURRENT, one, three
  EXPECT_EQ(ReadCurrentVersion(root_).value(), three);
}

TEST_F(BundleWriterTest, KeepsTheNewestVersions) {
  const std::string one = PublishToyBundle(root_, "one", 2);
  const std::string two = PublishToyBundle(root_, "two", 2);
  const std::string three = PublishToyBundle(root_, "three", 2);
  EXPECT_EQ(Names(), (std::set<std::string>{"CURRENT", two, three}));
}

TEST_F(BundleWriterTest, NeverRemovesAVersionInUse) {
  const std::string one = PublishToyBundle(root_, "one", 2);
  std::string two, three, four;
  {
    const auto use = UseVersion(root_ + "/" + one);
    const auto second_use = UseVersion(root_ + "/" + one);
    EXPECT_THAT(use, IsOk());
    EXPECT_THAT(second_use, IsOk());
    two = PublishToyBundle(root_, "two", 2);
    three = PublishToyBundle(root_, "three", 2);
    four = PublishToyBundle(root_, "four", 2);
    EXPECT_EQ(Names(), (std::set<std::string>{"CURRENT", one, three, four}));
  }
  const std::string five = PublishToyBundle(root_, "five", 2);
  EXPECT_EQ(Names(), (std::set<std::string>{"CURRENT", four, five}));
}

TEST_F(BundleWriterTest, AVersionThatIsBeingRemovedIsNotUsed) {
  const std::string one = PublishToyBundle(root_, "one", 2);
  const auto claim = ClaimVersion(root_ + "/" + one);
  EXPECT_THAT(claim, IsOk());
  EXPECT_THAT(UseVersion(root_ + "/" + one),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("removed")));
}

TEST_F(BundleWriterTest, NeverRemovesTheVersionThatWasCurrent) {
  const std::string one = PublishToyBundle(root_, "one", 1);
  const std::string two = PublishToyBundle(root_, "two", 1);
  EXPECT_EQ(Names(), (std::set<std::string>{"CURRENT", one, two}));
}

TEST_F(BundleWriterTest, RemovesNothingThatIsNoVersion) {
  PublishToyBundle(root_, "one", 1);
  ASSERT_THAT(CreateFolders(root_ + "/notes"), IsOk());
  PublishToyBundle(root_, "two", 1);
  PublishToyBundle(root_, "three", 1);
  EXPECT_TRUE(fs::exists(root_ + "/notes"));
}

TEST_F(BundleWriterTest, NamesThatAreNotAllowedFailSealing) {
  for (const char* name : {"../x", ".hidden", "a/b", "MANIFEST.json", ""}) {
    auto writer = NewWriter();
    writer->Add(name, FileRole::kServed);
    EXPECT_THAT(writer->Seal(ToyContent()),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(name)))
        << name;
  }
}

TEST_F(BundleWriterTest, AnnouncedAndWrittenMustAgree) {
  auto writer = NewWriter();
  const std::string path = writer->Add("a", FileRole::kServed);
  EXPECT_THAT(
      writer->Seal(ToyContent()),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("/a is missing")));
  ASSERT_THAT(WriteFileAtomically(path, "x"), IsOk());
  ASSERT_THAT(WriteFileAtomically(writer->staging_folder() + "/stray", "x"),
              IsOk());
  EXPECT_THAT(writer->Seal(ToyContent()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("stray")));
  fs::remove(writer->staging_folder() + "/stray");
  EXPECT_THAT(writer->Seal(ToyContent()), IsOk());
}

TEST_F(BundleWriterTest, TheSameNameTwiceFailsSealing) {
  auto writer = NewWriter();
  writer->Add("a", FileRole::kServed);
  ASSERT_THAT(WriteFileAtomically(writer->Add("a", FileRole::kMeasured), "x"),
              IsOk());
  EXPECT_THAT(writer->Seal(ToyContent()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("twice")));
}

TEST_F(BundleWriterTest, AnIndexOfOtherTowersFailsSealing) {
  auto writer = NewWriter();
  StageToyFiles(*writer, "one");
  v1::Content content = ToyContent();
  content.mutable_index()->set_tower_hash(std::string(64, '0'));
  EXPECT_THAT(writer->Seal(content),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("the index was built with")));
}

TEST_F(BundleWriterTest, PublishingWithoutASealIsRefused) {
  EXPECT_THAT(NewWriter()->Publish(0),
              StatusIs(absl::StatusCode::kFailedPrecondition, _));
}

}  // namespace
}  // namespace segue
