#include "server/net/tls_files.h"

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/certificates.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"

namespace segue {
namespace {

using segue::testing::Authority;
using segue::testing::CertificateAndKey;
using segue::testing::Encrypted;
using segue::testing::IsOk;
using segue::testing::StatusIs;
using segue::testing::TempFolder;
using std::chrono::hours;
using ::testing::AllOf;
using ::testing::HasSubstr;

class TlsFilesTest : public ::testing::Test {
 protected:
  TlsFilesTest() {
    config_.set_certificate_file(folder_ / "server.pem");
    config_.set_key_file(folder_ / "server.key");
    config_.set_client_ca_file(folder_ / "clients.pem");
    Write(authority_.Issue("server"));
    Write("clients.pem", authority_.certificate());
  }
  void Write(const std::string& name, const std::string& bytes) {
    ASSERT_THAT(WriteFileAtomically(folder_ / name, bytes), IsOk());
  }
  void Write(const CertificateAndKey& pair) {
    Write("server.pem", pair.certificate);
    Write("server.key", pair.key);
  }
  // With the field and the file.
  void ExpectRefused(const std::string& field, const std::string& name,
                     const std::string& why) {
    EXPECT_THAT(ReadTlsFiles(config_),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr(field), HasSubstr(folder_ / name),
                               HasSubstr(why))));
  }

  const TempFolder folder_;
  const Authority authority_{"authority"};
  v1::TlsConfig config_;
};

TEST_F(TlsFilesTest, FilesThatFitAreRead) {
  const CertificateAndKey pair = authority_.Issue("server");
  // Who signed it comes behind it.
  const std::string chain =
      absl::StrCat(pair.certificate, authority_.certificate());
  Write({chain, pair.key});
  const auto files = ReadTlsFiles(config_);
  ASSERT_THAT(files, IsOk());
  EXPECT_EQ(files->certificates, chain);
  EXPECT_EQ(files->key, pair.key);
  EXPECT_EQ(files->client_authorities, authority_.certificate());
  const auto left = files->expires - std::chrono::system_clock::now();
  EXPECT_GT(left, std::chrono::minutes(59));
  EXPECT_LE(left, hours(1));
}

TEST_F(TlsFilesTest, ClientsNeedNoAuthority) {
  config_.clear_client_ca_file();
  const auto files = ReadTlsFiles(config_);
  ASSERT_THAT(files, IsOk());
  EXPECT_EQ(files->client_authorities, "");
}

TEST_F(TlsFilesTest, WhatIsNoPemOrNotThereIsRefused) {
  Write("server.pem", "no certificate");
  ExpectRefused("certificate_file", "server.pem", "no PEM certificate");
  Write(authority_.Issue("server"));
  Write("clients.pem",
        absl::StrCat(authority_.certificate(), "-----BEGIN CERTIFICATE-----\n",
                     "bm9uZQ==\n-----END CERTIFICATE-----\n"));
  ExpectRefused("client_ca_file", "clients.pem", "damaged");
  Write("clients.pem", "");
  ExpectRefused("client_ca_file", "clients.pem", "no PEM certificate");
  Write("server.key", "no key");
  ExpectRefused("key_file", "server.key", "no PEM key");
  Write("server.key", std::string((1 << 20) + 1, 'x'));
  ExpectRefused("key_file", "server.key", "1048576 allowed");
  config_.set_key_file(folder_ / "none");
  ExpectRefused("key_file", "none", "No such file");
}

TEST_F(TlsFilesTest, AKeyOfAnotherCertificateOrBehindAPassphraseIsRefused) {
  Write("server.key", authority_.Issue("server").key);
  ExpectRefused("key_file", "server.key", "not the key of the first");
  const CertificateAndKey pair = authority_.Issue("server");
  Write({pair.certificate, Encrypted(pair.key, "secret")});
  ExpectRefused("key_file", "server.key", "without a passphrase");
}

TEST_F(TlsFilesTest, ACertificateThatOpenSslDoesNotUseIsRefused) {
  Write(authority_.IssueWeak("server"));
  ExpectRefused("certificate_file", "server.pem", "too small");
}

TEST_F(TlsFilesTest, ACertificateOfAnotherTimeIsRefused) {
  Write(authority_.Issue("server", hours(-2), hours(-1)));
  ExpectRefused("certificate_file", "server.pem", "has expired");
  Write(authority_.Issue("server", hours(1), hours(2)));
  ExpectRefused("certificate_file", "server.pem", "not valid yet");
}

TEST_F(TlsFilesTest, TheStampTellsThatAFileWasReplaced) {
  const std::string before = StampOfTlsFiles(config_);
  EXPECT_EQ(StampOfTlsFiles(config_), before);
  for (const char* name : {"server.pem", "server.key", "clients.pem"}) {
    const std::string last = StampOfTlsFiles(config_);
    const auto bytes = ReadFile(folder_ / name, 1 << 20);
    ASSERT_THAT(bytes, IsOk());
    Write(name, *bytes);
    EXPECT_NE(StampOfTlsFiles(config_), last) << name;
  }
}

}  // namespace
}  // namespace segue
