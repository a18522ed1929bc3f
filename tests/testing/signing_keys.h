// Key pairs that everybody knows: those of RFC 8032, 7.1, in PEM.
#ifndef SEGUE_TESTS_TESTING_SIGNING_KEYS_H_
#define SEGUE_TESTS_TESTING_SIGNING_KEYS_H_

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"

namespace segue::testing {

struct KnownKeys {
  std::string secret, open;  // hex
};
inline const KnownKeys kFirstKeys = {
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"};
inline const KnownKeys kSecondKeys = {
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"};

// `header` is what stands before the key's 32 bytes in DER (RFC 8410, 7 and 4).
inline std::string KeyPem(const std::string& what, const std::string& header,
                          const std::string& key) {
  const std::string der = absl::HexStringToBytes(header + key);
  return absl::StrCat("-----BEGIN ", what, "-----\n", absl::Base64Escape(der),
                      "\n-----END ", what, "-----\n");
}
inline std::string PrivatePem(const KnownKeys& keys) {
  return KeyPem("PRIVATE KEY", "302e020100300506032b657004220420", keys.secret);
}
inline std::string PublicPem(const KnownKeys& keys) {
  return KeyPem("PUBLIC KEY", "302a300506032b6570032100", keys.open);
}

// The private keys and a file with the first public one, which may be replaced.
struct KeyFiles {
  KeyFiles() {
    Write(first, PrivatePem(kFirstKeys));
    Write(second, PrivatePem(kSecondKeys));
    Trust(PublicPem(kFirstKeys));
  }
  void Trust(const std::string& pem) const { Write(trusted, pem); }

  static void Write(const std::string& path, const std::string& text) {
    EXPECT_THAT(WriteFileAtomically(path, text), IsOk());
  }

  const TempFolder folder;
  const std::string first = folder / "first.key";
  const std::string second = folder / "second.key";
  const std::string trusted = folder / "trusted.pem";
};

}  // namespace segue::testing

#endif  // SEGUE_TESTS_TESTING_SIGNING_KEYS_H_
