#include "core/base/signature.h"

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "core/base/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/signing_keys.h"

namespace segue {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using testing::KeyFiles;
using testing::KeyPem;
using testing::KnownKeys;
using testing::PrivatePem;
using testing::PublicPem;
using testing::StatusIs;

// RFC 8032, 7.1, "TEST 1" and "TEST 2".
TEST(SignatureTest, IsThatOfTheStandard) {
  struct Known {
    KnownKeys keys;
    const char* message;
    const char* signature;
  };
  const KeyFiles files;
  for (const Known& known :
       {Known{testing::kFirstKeys, "",
              "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
              "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100"
              "b"},
        Known{testing::kSecondKeys, "72",
              "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
              "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c0"
              "0"}}) {
    KeyFiles::Write(files.first, PrivatePem(known.keys));
    files.Trust(PublicPem(known.keys));
    const auto key = SigningKey::Read(files.first);
    ASSERT_THAT(key, IsOk());
    const std::string message = absl::HexStringToBytes(known.message);
    const std::string signature = key->Sign(message).value();
    EXPECT_EQ(absl::BytesToHexString(signature), known.signature);
    EXPECT_TRUE(key->public_key().WhoSigned(message, signature));
    const auto trusted = TrustedKeys::Read(files.trusted);
    ASSERT_THAT(trusted, IsOk());
    EXPECT_TRUE(trusted->WhoSigned(message, signature));
  }
}

TEST(SignatureTest, NoOtherBytesAreSigned) {
  const KeyFiles files;
  const auto key = SigningKey::Read(files.first);
  const auto trusted = TrustedKeys::Read(files.trusted);
  ASSERT_THAT(key, IsOk());
  ASSERT_THAT(trusted, IsOk());
  const std::string message = "a manifest";
  const std::string signature = key->Sign(message).value();
  for (size_t bit = 0; bit < 8 * signature.size(); ++bit) {
    std::string other = signature;
    other[bit / 8] ^= static_cast<char>(1 << bit % 8);
    EXPECT_FALSE(trusted->WhoSigned(message, other)) << bit;
  }
  for (size_t bit = 0; bit < 8 * message.size(); ++bit) {
    std::string other = message;
    other[bit / 8] ^= static_cast<char>(1 << bit % 8);
    EXPECT_FALSE(trusted->WhoSigned(other, signature)) << bit;
  }
  for (size_t length = 0; length < signature.size(); ++length) {
    EXPECT_FALSE(trusted->WhoSigned(message, signature.substr(0, length)));
  }
  EXPECT_FALSE(trusted->WhoSigned(message, signature + '\0'));
}

TEST(TrustedKeysTest, AnyOfThemMayHaveSigned) {
  const KeyFiles files;
  const std::string signature =
      SigningKey::Read(files.second)->Sign("m").value();
  EXPECT_FALSE(TrustedKeys::Read(files.trusted)->WhoSigned("m", signature));
  files.Trust("the old one\n" + PublicPem(testing::kFirstKeys) + "the next\n" +
              PublicPem(testing::kSecondKeys));
  const auto both = TrustedKeys::Read(files.trusted);
  ASSERT_THAT(both, IsOk());
  EXPECT_EQ(both->size(), 2);
  const auto who = both->WhoSigned("m", signature);
  ASSERT_TRUE(who);
  EXPECT_EQ(*who, Sha256::OfString(absl::HexStringToBytes(
                      "302a300506032b6570032100" + testing::kSecondKeys.open)));
}

// "x": `openssl genpkey -algorithm ed25519 -aes256 -pass pass:x`.
constexpr char kWithPassphrase[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAj5f8tV4ZTfDgICCAAw\n"
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEENUZMC2Ap2ijdgpU+WAnTHAEQLLe\n"
    "+1/LxQcPdz4SioE1EPzfdfVn8kYoZS487TttliXUBDbgJzkrghl9rF9RzdvTLngR\n"
    "G0H8jFEIQ9vsCPPjgls=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

std::string Damaged(std::string pem) {
  pem[pem.size() / 2] = '!';
  return pem;
}

TEST(TrustedKeysTest, WhatIsNoKeysIsRefusedByItsName) {
  const KeyFiles files;
  const std::string good = PublicPem(testing::kFirstKeys);
  std::string many;
  for (int i = 0; i <= TrustedKeys::kMax; ++i) many += good;
  for (const std::string& text : std::vector<std::string>{
           "", "no PEM", PrivatePem(testing::kFirstKeys), Damaged(good),
           good + Damaged(good), many,
           // X25519, which signs nothing.
           good + KeyPem("PUBLIC KEY", "302a300506032b656e032100",
                         testing::kFirstKeys.open)}) {
    files.Trust(text);
    EXPECT_THAT(
        TrustedKeys::Read(files.trusted),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(files.trusted)))
        << text;
  }
  EXPECT_THAT(
      TrustedKeys::Read(files.folder / "nowhere"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("No such file")));
}

TEST(SigningKeyTest, WhatIsNoKeyIsRefusedByItsName) {
  const KeyFiles files;
  const std::string good = PrivatePem(testing::kFirstKeys);
  for (const std::string& text : std::vector<std::string>{
           "", "no PEM", PublicPem(testing::kFirstKeys), Damaged(good),
           KeyPem("PRIVATE KEY", "302e020100300506032b656e04220420",
                  testing::kFirstKeys.secret),
           kWithPassphrase}) {
    KeyFiles::Write(files.first, text);
    EXPECT_THAT(
        SigningKey::Read(files.first),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(files.first)))
        << text;
  }
  KeyFiles::Write(files.first, std::string((1 << 20) + 1, 'x'));
  EXPECT_THAT(SigningKey::Read(files.first),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("bytes")));
}

}  // namespace
}  // namespace segue
