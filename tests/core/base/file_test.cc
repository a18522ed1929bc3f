#include "core/base/file.h"

#include <sys/stat.h>

#include <filesystem>
#include <utility>

#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"

namespace segue {
namespace {

using ::testing::_;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;
using testing::TempFolder;

class FileTest : public ::testing::Test {
 protected:
  const TempFolder folder_;
  const std::string path_ = folder_ / "file";
};

TEST_F(FileTest, ReadsBackWhatWasWritten) {
  const std::string content("a\0b", 3);
  ASSERT_THAT(WriteFileAtomically(path_, content), IsOk());
  EXPECT_EQ(ReadFile(path_, 3).value(), content);
}

TEST_F(FileTest, WritingReplacesAndLeavesNothingAside) {
  ASSERT_THAT(WriteFileAtomically(path_, "longer than the next"), IsOk());
  ASSERT_THAT(WriteFileAtomically(path_, "new"), IsOk());
  EXPECT_EQ(ReadFile(path_, 100).value(), "new");
  EXPECT_FALSE(std::filesystem::exists(path_ + ".tmp"));
}

TEST_F(FileTest, AFailedWriteKeepsTheOldFileAndCleansUp) {
  std::filesystem::create_directory(path_);  // rename onto a folder fails
  EXPECT_FALSE(WriteFileAtomically(path_, "x").ok());
  EXPECT_TRUE(std::filesystem::is_directory(path_));
  EXPECT_FALSE(std::filesystem::exists(path_ + ".tmp"));
}

TEST_F(FileTest, RefusesToReadMoreThanAllowed) {
  ASSERT_THAT(WriteFileAtomically(path_, "12345"), IsOk());
  EXPECT_THAT(
      ReadFile(path_, 4),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("5 bytes")));
}

TEST_F(FileTest, AMissingFileIsNotFoundByName) {
  EXPECT_THAT(ReadFile(path_, 9),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(path_)));
  EXPECT_THAT(MappedFile::Open(path_),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(path_)));
}

TEST_F(FileTest, AFifoIsRefusedWithoutWaitingForAWriter) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT(ReadFile(path_, 9),
              StatusIs(absl::StatusCode::kFailedPrecondition, _));
  EXPECT_THAT(MappedFile::Open(path_),
              StatusIs(absl::StatusCode::kFailedPrecondition, _));
}

TEST_F(FileTest, CreatesParentsAndIsFineTwice) {
  const std::string deep = folder_ / "a/b/c";
  EXPECT_THAT(CreateFolders(deep), IsOk());
  EXPECT_THAT(CreateFolders(deep), IsOk());
  EXPECT_TRUE(std::filesystem::is_directory(deep));
}

TEST_F(FileTest, CannotCreateAFolderWhereAFileStands) {
  ASSERT_THAT(WriteFileAtomically(path_, ""), IsOk());
  EXPECT_FALSE(CreateFolders(path_ + "/sub").ok());
}

TEST_F(FileTest, MapsAFileAndOutlivesItsName) {
  ASSERT_THAT(WriteFileAtomically(path_, "mapped"), IsOk());
  auto mapped = MappedFile::Open(path_);
  ASSERT_THAT(mapped, IsOk());
  MappedFile moved = std::move(*mapped);
  std::filesystem::remove(path_);
  EXPECT_EQ(std::string(moved.bytes()), "mapped");
  EXPECT_TRUE(mapped->bytes().empty());
}

TEST_F(FileTest, AnEmptyFileMapsToNothing) {
  ASSERT_THAT(WriteFileAtomically(path_, ""), IsOk());
  EXPECT_TRUE(MappedFile::Open(path_).value().bytes().empty());
}

TEST_F(FileTest, SyncingWhatIsMissingFails) {
  EXPECT_THAT(SyncFile(path_), StatusIs(absl::StatusCode::kNotFound, _));
  EXPECT_THAT(SyncFolder(path_), StatusIs(absl::StatusCode::kNotFound, _));
  EXPECT_THAT(SyncFolder(folder_.path()), IsOk());
}

}  // namespace
}  // namespace segue
