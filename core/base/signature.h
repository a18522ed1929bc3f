// Ed25519 signatures (RFC 8032, by OpenSSL) with keys from PEM files, as
// `openssl genpkey -algorithm ed25519` and `openssl pkey -pubout` write them.
#ifndef SEGUE_CORE_BASE_SIGNATURE_H_
#define SEGUE_CORE_BASE_SIGNATURE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace segue {

inline constexpr size_t kSignatureBytes = 64;

// Values that share what OpenSSL keeps; any number of threads.
class SigningKey {
 public:
  // InvalidArgument, with the file, for anything but an Ed25519 private key
  // without a passphrase.
  static absl::StatusOr<SigningKey> Read(const std::string& path);

  // kSignatureBytes, always the same for the same bytes.
  absl::StatusOr<std::string> Sign(absl::string_view bytes) const;
  // Whether `signature` is this key's, of these bytes.
  bool HasSigned(absl::string_view bytes, absl::string_view signature) const;

 private:
  std::shared_ptr<evp_pkey_st> key_;
};

class TrustedKeys {
 public:
  static constexpr int kMax = 16;

  // InvalidArgument, with the file, unless its PEM is 1 to kMax Ed25519 public
  // keys; between them may be text.
  static absl::StatusOr<TrustedKeys> Read(const std::string& path);

  // Whether `signature` is that of one of the keys, of these bytes.
  bool HaveSigned(absl::string_view bytes, absl::string_view signature) const;
  int size() const { return static_cast<int>(keys_.size()); }

 private:
  std::vector<std::shared_ptr<evp_pkey_st>> keys_;
};

}  // namespace segue

#endif  // SEGUE_CORE_BASE_SIGNATURE_H_
