// Who has signed a bundle, and what a reader says to one that nobody has whom
// it trusts.
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <ostream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/sha256.h"
#include "core/bundle/bundle_reader.h"
#include "core/bundle/manifest.h"
#include "tests/core/bundle/toy_bundle.h"
#include "tests/testing/signing_keys.h"
#include "tests/testing/temp_folder.h"

namespace segue {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;
using ::testing::_;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::KeyFiles;
using ::testing::Not;
using testing::PublicPem;
using testing::PublishToyBundle;
using testing::StageToyFiles;
using testing::StatusIs;
using testing::TempFolder;
using testing::ToyContent;

class SignedBundleTest : public ::testing::Test {
 protected:
  // The published version's folder. No key: it is not signed.
  std::string Publish(const std::string& salt, const std::string& key) const {
    return root_ + "/" +
           PublishToyBundle(root_, salt, /*keep_versions=*/0, key);
  }
  absl::Status Open(const std::string& folder) const {
    return OpenBundle(
               folder, VerifyScope::kAll,
               {.trusted_keys = TrustedKeys::Read(keys_.trusted).value()})
        .status();
  }

  const KeyFiles keys_;
  const TempFolder temp_;
  const std::string root_ = temp_ / "bundles";
};

TEST_F(SignedBundleTest, OpensWhereTheKeyIsTrusted) {
  const std::string folder = Publish("one", keys_.first);
  EXPECT_THAT(Open(folder), IsOk());
  keys_.Trust(PublicPem(testing::kSecondKeys));
  EXPECT_THAT(Open(folder),
              StatusIs(StatusCode::kUnauthenticated, HasSubstr(keys_.trusted)));
  keys_.Trust(PublicPem(testing::kSecondKeys) + PublicPem(testing::kFirstKeys));
  EXPECT_THAT(Open(folder), IsOk());
  // Who trusts the folder may leave it.
  EXPECT_THAT(OpenBundle(folder, VerifyScope::kAll), IsOk());
}

// So that others can sign, too.
TEST_F(SignedBundleTest, TheSignatureIsOfTheManifestsBytes) {
  const std::string folder = Publish("one", "");
  const auto key = SigningKey::Read(keys_.first);
  ASSERT_THAT(key, IsOk());
  const std::string json = ReadFile(folder + "/MANIFEST.json", 1 << 20).value();
  KeyFiles::Write(folder + "/MANIFEST.sig", key->Sign(json).value());
  EXPECT_THAT(Open(folder), IsOk());
}

// FORMAT.md's own lines, in the bundle's folder.
TEST_F(SignedBundleTest, OpensslSignsAsTheFormatSays) {
  const std::string folder = Publish("one", "");
  const std::string format = ReadFile(SEGUE_BUNDLE_FORMAT, 1 << 20).value();
  std::string script = absl::StrCat("set -e; cd '", folder, "'\n");
  int commands = 0;
  for (const absl::string_view line : absl::StrSplit(format, '\n')) {
    if (!absl::StartsWith(line, "    openssl ")) continue;
    absl::StrAppend(&script, line, "\n");
    ++commands;
  }
  ASSERT_EQ(commands, 3);
  ASSERT_EQ(std::system(script.c_str()), 0) << script;
  const auto trusted = TrustedKeys::Read(folder + "/trusted.pem");
  ASSERT_THAT(trusted, IsOk());
  EXPECT_THAT(OpenBundle(folder, VerifyScope::kAll, {.trusted_keys = *trusted}),
              IsOk());
  EXPECT_THAT(SigningKey::Read(folder + "/signing.key"), IsOk());
}

TEST_F(SignedBundleTest, ADamagedFileOfASignedBundleIsDataLoss) {
  const std::string folder = Publish("one", keys_.first);
  fs::resize_file(folder + "/" + layout::kIndex, 3);
  EXPECT_THAT(Open(folder),
              StatusIs(StatusCode::kDataLoss, HasSubstr(layout::kIndex)));
}

// One of each byte.
TEST_F(SignedBundleTest, NoFlippedBitOfManifestOrSignaturePasses) {
  const std::string folder = Publish("one", keys_.first);
  for (const char* name : {layout::kManifest, layout::kSignature}) {
    const std::string path = folder + "/" + name;
    const std::string good = ReadFile(path, 1 << 20).value();
    for (size_t i = 0; i < good.size(); ++i) {
      std::string bad = good;
      bad[i] ^= static_cast<char>(1 << i % 8);
      std::ofstream(path, std::ios::binary) << bad;
      ASSERT_THAT(Open(folder), StatusIs(StatusCode::kUnauthenticated, _))
          << name << " " << i;
    }
    std::ofstream(path, std::ios::binary) << good;
  }
  EXPECT_THAT(Open(folder), IsOk());
}

TEST_F(SignedBundleTest, ABundleTellsWhoseItIs) {
  const std::string folder = Publish("one", keys_.first);
  EXPECT_EQ(OpenBundle(folder, VerifyScope::kAll)->signed_by(), "");
  const TrustedKeys trusted = TrustedKeys::Read(keys_.trusted).value();
  const auto bundle =
      OpenBundle(folder, VerifyScope::kManifest, {.trusted_keys = trusted});
  ASSERT_THAT(bundle, IsOk());
  EXPECT_EQ(bundle->signed_by().size(), 64u);
}

TEST_F(SignedBundleTest, WhatIsSealedAfterAFailedPublicationIsSignedAnew) {
  auto writer =
      BundleWriter::Create(root_, SigningKey::Read(keys_.first).value());
  ASSERT_THAT(writer, IsOk());
  StageToyFiles(**writer, "one");
  const auto sealed = (*writer)->Seal(ToyContent());
  ASSERT_THAT(sealed, IsOk());
  // Where the version should go lies something else.
  const std::string folder = root_ + "/" + sealed->version();
  ASSERT_THAT(WriteFileAtomically(folder, "a file"), IsOk());
  ASSERT_THAT((*writer)->Publish(0), Not(IsOk()));
  fs::remove(folder);
  ASSERT_THAT((*writer)->Seal(ToyContent()), IsOk());
  ASSERT_THAT((*writer)->Publish(0), IsOk());
  EXPECT_THAT(Open(root_ + "/" + (*writer)->published_version()), IsOk());
}

TEST_F(SignedBundleTest, AListedFileIsReadOnlyAsItWasPublished) {
  const std::string folder = Publish("one", keys_.first);
  const auto bundle = OpenBundle(folder, VerifyScope::kManifest);
  ASSERT_THAT(bundle, IsOk());
  EXPECT_EQ(ReadListedFile(*bundle, layout::kTrainerConfig, 100).value(),
            "trainer_config.textproto of one");
  EXPECT_THAT(ReadListedFile(*bundle, layout::kTrainerConfig, 10),
              StatusIs(StatusCode::kDataLoss, HasSubstr("more than the 10")));
  EXPECT_THAT(
      ReadListedFile(*bundle, layout::kEfforts, 100),
      StatusIs(StatusCode::kFailedPrecondition, HasSubstr("index.efforts")));
  std::ofstream(folder + "/" + layout::kTrainerConfig) << "other";
  EXPECT_THAT(ReadListedFile(*bundle, layout::kTrainerConfig, 100),
              StatusIs(StatusCode::kDataLoss, HasSubstr("bytes")));
}

TEST_F(SignedBundleTest, TheSameContentIsSignedOnce) {
  const std::string plain = Publish("one", "");
  const std::string by_first = Publish("one", keys_.first);
  EXPECT_NE(by_first, plain);
  EXPECT_EQ(Publish("one", keys_.first), by_first);
  // Nobody asks for a signature: the one that is there does no harm.
  EXPECT_EQ(Publish("one", ""), by_first);
  const std::string by_second = Publish("one", keys_.second);
  EXPECT_NE(by_second, by_first);
  keys_.Trust(PublicPem(testing::kSecondKeys));
  EXPECT_THAT(Open(by_second), IsOk());
}

struct Forgery {
  const char* name;
  // Of a bundle that is signed; and where one lies that is signed, too. It may
  // lie elsewhere then.
  std::function<void(std::string& folder, const std::string& other)> make;
  const char* said;
};

void PrintTo(const Forgery& forgery, std::ostream* out) {
  *out << forgery.name;
}

class ForgeryTest : public SignedBundleTest,
                    public ::testing::WithParamInterface<Forgery> {};

// Before anything is parsed: what is wrong with the manifest is not said.
TEST_P(ForgeryTest, IsRefusedBeforeItIsParsed) {
  const std::string other = Publish("other", keys_.first);
  std::string folder = Publish("one", keys_.first);
  GetParam().make(folder, other);
  EXPECT_THAT(Open(folder), StatusIs(StatusCode::kUnauthenticated,
                                     HasSubstr(GetParam().said)));
}

void Replace(const std::string& path, const std::string& bytes) {
  ASSERT_THAT(WriteFileAtomically(path, bytes), IsOk());
}

std::string Signature(const std::string& folder) {
  return folder + "/" + layout::kSignature;
}

// Another file, with a manifest and a name that agree with it, as who can write
// the root can make them: without a signature it is as good as any.
void ForgeIndex(std::string& folder, const std::string&) {
  const std::string path = folder + "/" + layout::kManifest;
  v1::Manifest manifest =
      ParseManifest(ReadFile(path, 1 << 20).value(), path).value();
  v1::Content& content = *manifest.mutable_content();
  for (v1::File& file : *content.mutable_files()) {
    if (file.name() != layout::kIndex) continue;
    Replace(folder + "/" + layout::kIndex, "hostile");
    file.set_bytes(7);
    file.set_sha256(Sha256::OfString("hostile"));
  }
  manifest.set_content_hash(ContentHash(content));
  const std::string before = manifest.version();
  manifest.set_version(before.substr(0, before.find('-') + 1) +
                       manifest.content_hash().substr(0, 12));
  Replace(path, FormatManifest(manifest));
  const std::string forged =
      folder.substr(0, folder.size() - before.size()) + manifest.version();
  fs::rename(folder, forged);
  folder = forged;
  ASSERT_THAT(OpenBundle(folder, VerifyScope::kAll), IsOk());
}

INSTANTIATE_TEST_SUITE_P(
    Table, ForgeryTest,
    ::testing::Values(
        Forgery{"None", [](auto& f, auto&) { fs::remove(Signature(f)); },
                "MANIFEST.sig is missing"},
        Forgery{"Empty", [](auto& f, auto&) { Replace(Signature(f), ""); },
                "no signature of MANIFEST.json"},
        Forgery{"Short",
                [](auto& f, auto&) { fs::resize_file(Signature(f), 63); },
                "no signature of MANIFEST.json"},
        Forgery{"Long",
                [](auto& f, auto&) { fs::resize_file(Signature(f), 65); },
                "more than the 64"},
        Forgery{"Link",
                [](auto& f, auto& other) {
                  fs::remove(Signature(f));
                  fs::create_symlink(Signature(other), Signature(f));
                },
                "symbolic link"},
        Forgery{"Fifo",
                [](auto& f, auto&) {
                  fs::remove(Signature(f));
                  ASSERT_EQ(::mkfifo(Signature(f).c_str(), 0600), 0);
                },
                "not a regular file"},
        Forgery{"OfAnotherBundle",
                [](auto& f, auto& other) {
                  fs::copy_file(Signature(other), Signature(f),
                                fs::copy_options::overwrite_existing);
                },
                "no signature of MANIFEST.json"},
        Forgery{"HashesThatAgree", ForgeIndex, "no signature of MANIFEST.json"},
        Forgery{
            "NoManifestAtAll",
            [](auto& f, auto&) { Replace(f + "/" + layout::kManifest, "{"); },
            "no signature of MANIFEST.json"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace segue
