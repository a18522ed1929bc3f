#include "trainer/data/input_files.h"

#include <filesystem>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"
#include "tests/trainer/data/table_files.h"

namespace segue {
namespace {

using ::segue::testing::IsOk;
using ::segue::testing::StatusIs;
using ::segue::testing::TempFolder;
using ::segue::testing::WriteText;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace fs = std::filesystem;

class InputFilesTest : public ::testing::Test {
 protected:
  void Touch(const std::string& name) {
    fs::create_directories(fs::path(folder_ / name).parent_path());
    WriteText(folder_ / name, "");
  }
  // Paths below the folder.
  std::vector<std::string> List() {
    const auto files = ListInputFiles(folder_.path());
    EXPECT_THAT(files, IsOk());
    std::vector<std::string> names;
    if (!files.ok()) return names;
    for (const InputFile& file : *files) {
      names.push_back(file.path.substr(folder_.path().size() + 1));
    }
    return names;
  }

  TempFolder folder_;
};

TEST_F(InputFilesTest, NameTellsTheFormat) {
  for (const char* name : {"a.parquet", "b.csv", "c.csv.gz"}) Touch(name);
  EXPECT_EQ(ListInputFiles(folder_ / "a.parquet")->at(0).format,
            FileFormat::kParquet);
  EXPECT_EQ(ListInputFiles(folder_ / "b.csv")->at(0).format, FileFormat::kCsv);
  EXPECT_EQ(ListInputFiles(folder_ / "c.csv.gz")->at(0).format,
            FileFormat::kCsvGzip);
}

TEST_F(InputFilesTest, FoldersAreWalkedInTheOrderOfPaths) {
  Touch("day=2/part-0.parquet");
  Touch("day=10/part-1.parquet");
  Touch("day=10/part-0.parquet");
  Touch("a.parquet");
  EXPECT_THAT(List(),
              ElementsAre("a.parquet", "day=10/part-0.parquet",
                          "day=10/part-1.parquet", "day=2/part-0.parquet"));
}

TEST_F(InputFilesTest, HiddenFilesAndFoldersArePassedOver) {
  Touch("a.csv");
  Touch("_SUCCESS");
  Touch(".a.csv.crc");
  Touch("_temporary/0/b.csv");
  Touch(".cache/c.csv");
  EXPECT_THAT(List(), ElementsAre("a.csv"));
}

TEST_F(InputFilesTest, LinksAreFollowed) {
  Touch("elsewhere/a.csv");
  Touch("set/b.csv");
  fs::create_directory_symlink(folder_ / "elsewhere", folder_ / "set/day1");
  const auto files = ListInputFiles(folder_ / "set");
  ASSERT_THAT(files, IsOk());
  ASSERT_EQ(files->size(), 2u);
  EXPECT_EQ(files->at(1).path, folder_ / "set/day1/a.csv");
}

TEST_F(InputFilesTest, StrangersInAFolderAreRefusedByName) {
  Touch("a.csv");
  Touch("notes.txt");
  EXPECT_THAT(ListInputFiles(folder_.path()),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("notes.txt: the name must end in")));
}

TEST_F(InputFilesTest, NothingButHiddenFilesIsNotFound) {
  Touch("_SUCCESS");
  EXPECT_THAT(ListInputFiles(folder_.path()),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(folder_.path())));
}

TEST_F(InputFilesTest, EmptyPathIsRefused) {
  EXPECT_THAT(ListInputFiles(""),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("empty")));
}

}  // namespace
}  // namespace segue
