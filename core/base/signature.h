// Ed25519 signatures (RFC 8032, by OpenSSL) with keys from PEM files, as
// `openssl genpkey -algorithm ed25519` and `openssl pkey -pubout` write them.
#ifndef SEGUE_CORE_BASE_SIGNATURE_H_
#define SEGUE_CORE_BASE_SIGNATURE_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace segue {

inline constexpr size_t kSignatureBytes = 64;

// Both are values that share what OpenSSL keeps; any number of threads.

// Public keys.
class TrustedKeys {
 public:
  static constexpr int kMax = 16;

  // InvalidArgument, with the file, unless its PEM is 1 to kMax Ed25519 public
  // keys; between them may be text.
  static absl::StatusOr<TrustedKeys> Read(const std::string& path);

  // Which of the keys has made this signature of these bytes: SHA-256, hex, of
  // its DER form (`openssl pkey -pubin -outform DER | sha256sum`). Unset: none.
  std::optional<std::string> WhoSigned(absl::string_view bytes,
                                       absl::string_view signature) const;

  int size() const { return static_cast<int>(keys_.size()); }
  // The file that they are from.
  const std::string& path() const { return path_; }

 private:
  friend class SigningKey;
  std::vector<std::shared_ptr<evp_pkey_st>> keys_;
  std::string path_;
};

class SigningKey {
 public:
  // InvalidArgument, with the file, for anything but an Ed25519 private key
  // without a passphrase.
  static absl::StatusOr<SigningKey> Read(const std::string& path);

  // kSignatureBytes, always the same for the same bytes.
  absl::StatusOr<std::string> Sign(absl::string_view bytes) const;

  // Who trusts what this key signs, and nothing else.
  const TrustedKeys& public_key() const { return public_; }

 private:
  TrustedKeys public_;  // OpenSSL's private key is its public one, too
};

}  // namespace segue

#endif  // SEGUE_CORE_BASE_SIGNATURE_H_
