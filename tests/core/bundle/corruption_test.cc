// Every way in which a published bundle can be damaged, and what a reader says.
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <ostream>
#include <string>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "core/bundle/bundle_reader.h"
#include "tests/core/bundle/toy_bundle.h"
#include "tests/testing/temp_folder.h"

namespace segue {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;
using ::testing::_;
using ::testing::AllOf;
using ::testing::Combine;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::PublishToyBundle;
using testing::StatusIs;
using testing::TempFolder;
using ::testing::ValuesIn;

class CorruptionTest : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) const {
    return folder_ + "/" + name;
  }
  std::string Read(const std::string& name) const {
    return ReadFile(Path(name), 1 << 20).value();
  }
  void Write(const std::string& name, const std::string& content) const {
    ASSERT_THAT(WriteFileAtomically(Path(name), content), IsOk());
  }
  absl::Status Open(VerifyScope scope) const {
    return OpenBundle(folder_, scope).status();
  }

  const TempFolder temp_;
  const std::string root_ = temp_ / "bundles";
  const std::string version_ = PublishToyBundle(root_, "one");
  const std::string folder_ = root_ + "/" + version_;
};

struct Damage {
  std::string name;
  std::function<void(const std::string& path)> inflict;
  std::string message;
};

void PrintTo(const Damage& damage, std::ostream* out) { *out << damage.name; }

void Flip(const std::string& path) {
  std::string bytes = ReadFile(path, 1 << 20).value();
  bytes[bytes.size() / 2] ^= 1;
  ASSERT_THAT(WriteFileAtomically(path, bytes), IsOk());
}

void Append(const std::string& path) {
  const std::string bytes = ReadFile(path, 1 << 20).value();
  ASSERT_THAT(WriteFileAtomically(path, bytes + "x"), IsOk());
}

// The link leads to the very same bytes: it is refused for being one.
void Link(const std::string& path) {
  fs::rename(path, path + ".real");
  fs::create_symlink(path + ".real", path);
}

void Fifo(const std::string& path) {
  fs::remove(path);
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
}

void Folder(const std::string& path) {
  fs::remove(path);
  fs::create_directory(path);
}

const Damage kDamages[] = {
    {"Truncated",
     [](const std::string& path) {
       fs::resize_file(path, fs::file_size(path) - 2);
     },
     "bytes, the manifest says"},
    {"Emptied", [](const std::string& path) { fs::resize_file(path, 0); },
     "has 0 bytes"},
    {"Flipped", Flip, "was changed"},
    {"Extended", Append, "more than the"},
    {"Missing", [](const std::string& path) { fs::remove(path); },
     "is missing"},
    {"Link", Link, "symbolic link"},
    {"Fifo", Fifo, "not a regular file"},
    {"Folder", Folder, "not a regular file"},
};

class ServedFileTest
    : public CorruptionTest,
      public ::testing::WithParamInterface<std::tuple<std::string, Damage>> {};

TEST_P(ServedFileTest, DamageIsDataLossThatNamesTheFile) {
  const auto& [name, damage] = GetParam();
  damage.inflict(Path(name));
  for (VerifyScope scope : {VerifyScope::kServed, VerifyScope::kAll}) {
    EXPECT_THAT(Open(scope),
                StatusIs(StatusCode::kDataLoss,
                         AllOf(HasSubstr(name), HasSubstr(damage.message))));
  }
}

INSTANTIATE_TEST_SUITE_P(Table, ServedFileTest,
                         Combine(ValuesIn(testing::kToyServedFiles),
                                 ValuesIn(kDamages)),
                         [](const auto& info) {
                           std::string name =
                               absl::StrCat(std::get<0>(info.param), "_",
                                            std::get<1>(info.param).name);
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

class OtherFileTest : public CorruptionTest,
                      public ::testing::WithParamInterface<const char*> {};

TEST_P(OtherFileTest, DamageMattersToAFullVerificationOnly) {
  Flip(Path(GetParam()));
  EXPECT_THAT(Open(VerifyScope::kServed), IsOk());
  EXPECT_THAT(Open(VerifyScope::kAll),
              StatusIs(StatusCode::kDataLoss, HasSubstr(GetParam())));
}

INSTANTIATE_TEST_SUITE_P(Table, OtherFileTest,
                         ::testing::Values(layout::kTrainerConfig,
                                           layout::kReport),
                         [](const auto& info) {
                           return info.index == 0 ? "Auxiliary" : "Measured";
                         });

class ManifestFileTest : public CorruptionTest,
                         public ::testing::WithParamInterface<Damage> {};

TEST_P(ManifestFileTest, DamageIsDataLossThatNamesIt) {
  GetParam().inflict(Path(layout::kManifest));
  EXPECT_THAT(Open(VerifyScope::kServed),
              StatusIs(StatusCode::kDataLoss, HasSubstr(layout::kManifest)));
}

INSTANTIATE_TEST_SUITE_P(Table, ManifestFileTest, ValuesIn(kDamages),
                         [](const auto& info) { return info.param.name; });

TEST_F(CorruptionTest, AManifestOverTheBoundIsNotParsed) {
  Write(layout::kManifest, Read(layout::kManifest) + std::string(1 << 20, ' '));
  EXPECT_THAT(Open(VerifyScope::kServed),
              StatusIs(StatusCode::kDataLoss, HasSubstr("more than the")));
}

TEST_F(CorruptionTest, ANewerFormatIsAFailedPrecondition) {
  std::string json = Read(layout::kManifest);
  const std::string from = "\"format_version\": 4";
  const size_t at = json.find(from);
  ASSERT_NE(at, std::string::npos);
  json.replace(at, from.size(), "\"format_version\": 5");
  Write(layout::kManifest, json);
  EXPECT_THAT(Open(VerifyScope::kServed),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("format 5")));
}

TEST_F(CorruptionTest, ARenamedFolderIsNotItsVersion) {
  const std::string other = root_ + "/20000101T000000Z-000000000000";
  fs::rename(folder_, other);
  EXPECT_THAT(OpenBundle(other, VerifyScope::kServed),
              StatusIs(StatusCode::kDataLoss, HasSubstr(version_)));
}

TEST_F(CorruptionTest, FilesOfAnotherBundleDoNotMix) {
  const std::string other = PublishToyBundle(root_, "two");
  fs::copy_file(absl::StrCat(root_, "/", other, "/", layout::kIndex),
                Path(layout::kIndex), fs::copy_options::overwrite_existing);
  EXPECT_THAT(Open(VerifyScope::kServed),
              StatusIs(StatusCode::kDataLoss, HasSubstr(layout::kIndex)));
}

TEST_F(CorruptionTest, AMissingFolderIsNotFound) {
  EXPECT_THAT(OpenBundle(root_ + "/nothing", VerifyScope::kServed),
              StatusIs(StatusCode::kNotFound, HasSubstr("nothing")));
}

TEST_F(CorruptionTest, ALinkedFolderIsRefused) {
  fs::rename(folder_, folder_ + ".real");
  fs::create_directory_symlink(folder_ + ".real", folder_);
  EXPECT_THAT(Open(VerifyScope::kServed),
              StatusIs(StatusCode::kDataLoss, HasSubstr("link")));
}

TEST_F(CorruptionTest, ASlashAfterTheFolderIsFine) {
  EXPECT_THAT(OpenBundle(folder_ + "/", VerifyScope::kAll), IsOk());
}

TEST_F(CorruptionTest, CurrentThatHoldsNoVersionIsDataLoss) {
  for (const std::string& content :
       {std::string(), std::string("\n"), version_, version_ + "\n\n",
        std::string("../") + version_ + "\n", std::string("/etc\n"),
        std::string(".\n"), std::string(300, 'a')}) {
    ASSERT_THAT(WriteFileAtomically(root_ + "/CURRENT", content), IsOk());
    EXPECT_THAT(ReadCurrentVersion(root_),
                StatusIs(StatusCode::kDataLoss, HasSubstr("CURRENT")))
        << content;
  }
}

TEST_F(CorruptionTest, CurrentThatIsALinkOrAFifoIsDataLoss) {
  Link(root_ + "/CURRENT");
  EXPECT_THAT(ReadCurrentVersion(root_),
              StatusIs(StatusCode::kDataLoss, HasSubstr("symbolic link")));
  Fifo(root_ + "/CURRENT");
  EXPECT_THAT(ReadCurrentVersion(root_), StatusIs(StatusCode::kDataLoss, _));
}

TEST_F(CorruptionTest, NoCurrentIsNotFound) {
  fs::remove(root_ + "/CURRENT");
  EXPECT_THAT(ReadCurrentVersion(root_), StatusIs(StatusCode::kNotFound, _));
  EXPECT_THAT(ReadCurrentVersion(root_ + "/nowhere"),
              StatusIs(StatusCode::kNotFound, _));
}

TEST_F(CorruptionTest, CurrentThatNamesNoFolderIsNotFound) {
  const std::string version = "20000101T000000Z-000000000000";
  ASSERT_THAT(WriteFileAtomically(root_ + "/CURRENT", version + "\n"), IsOk());
  EXPECT_THAT(ReadCurrentVersion(root_),
              StatusIs(StatusCode::kNotFound, HasSubstr(version)));
  ASSERT_THAT(WriteFileAtomically(root_ + "/" + version, "a file"), IsOk());
  EXPECT_THAT(ReadCurrentVersion(root_),
              StatusIs(StatusCode::kDataLoss, HasSubstr("no folder")));
}

TEST_F(CorruptionTest, ALimitOfBytesIsCheckedBeforeAFileIsRead) {
  const auto bundle = OpenBundle(folder_, VerifyScope::kServed);
  ASSERT_THAT(bundle, IsOk());
  uint64_t bytes = 0;
  for (const v1::File& file : bundle->content().files()) {
    if (file.served()) bytes += file.bytes();
  }
  EXPECT_THAT(
      OpenBundle(folder_, VerifyScope::kServed, {.max_served_bytes = bytes}),
      IsOk());
  fs::remove(Path(layout::kIndex));
  EXPECT_THAT(OpenBundle(folder_, VerifyScope::kServed,
                         {.max_served_bytes = bytes - 1}),
              StatusIs(StatusCode::kOutOfRange,
                       HasSubstr(absl::StrCat(bytes, " bytes to serve"))));
}

TEST_F(CorruptionTest, VerifyingGivesUpAtItsDeadline) {
  EXPECT_THAT(OpenBundle(folder_, VerifyScope::kServed,
                         {.deadline = Deadline::After({})}),
              StatusIs(StatusCode::kDeadlineExceeded, _));
}

}  // namespace
}  // namespace segue
