#include "core/base/signature.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/openssl.h"
#include "core/base/status_macros.h"

namespace segue {
namespace {

using Digest = std::unique_ptr<EVP_MD_CTX, openssl::Freed<EVP_MD_CTX_free>>;

struct Free {
  void operator()(void* it) const { OPENSSL_free(it); }
};
using Allocated = std::unique_ptr<void, Free>;

const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

bool Verify(EVP_PKEY* key, absl::string_view bytes,
            absl::string_view signature) {
  const Digest digest(EVP_MD_CTX_new());
  // 1 is yes; what is no signature at all is an error, and no as well.
  const bool is_its =
      EVP_DigestVerifyInit(digest.get(), nullptr, nullptr, nullptr, key) == 1 &&
      EVP_DigestVerify(digest.get(), Bytes(signature), signature.size(),
                       Bytes(bytes), bytes.size()) == 1;
  ERR_clear_error();
  return is_its;
}

}  // namespace

absl::StatusOr<SigningKey> SigningKey::Read(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string pem, ReadPemFile(path));
  openssl::Key key = openssl::ParsePrivateKey(pem);
  ERR_clear_error();
  if (key == nullptr || EVP_PKEY_id(key.get()) != EVP_PKEY_ED25519) {
    return absl::InvalidArgumentError(
        absl::StrCat(path,
                     " has no Ed25519 private key without a passphrase; "
                     "`openssl genpkey -algorithm ed25519` makes one"));
  }
  SigningKey read;
  read.key_ = std::move(key);
  return read;
}

absl::StatusOr<std::string> SigningKey::Sign(absl::string_view bytes) const {
  const Digest digest(EVP_MD_CTX_new());
  std::string signature(kSignatureBytes, '\0');
  size_t length = signature.size();
  if (EVP_DigestSignInit(digest.get(), nullptr, nullptr, nullptr, key_.get()) !=
          1 ||
      EVP_DigestSign(digest.get(),
                     reinterpret_cast<unsigned char*>(signature.data()),
                     &length, Bytes(bytes), bytes.size()) != 1) {
    ERR_clear_error();
    return absl::InternalError("OpenSSL does not sign");
  }
  return signature;
}

bool SigningKey::HasSigned(absl::string_view bytes,
                           absl::string_view signature) const {
  return Verify(key_.get(), bytes, signature);
}

absl::StatusOr<TrustedKeys> TrustedKeys::Read(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string pem, ReadPemFile(path));
  const openssl::Bio bio = openssl::OpenPem(pem);
  TrustedKeys read;
  bool all_fit = true;
  while (all_fit) {
    char *name = nullptr, *header = nullptr;
    unsigned char* der = nullptr;
    long length = 0;  // NOLINT(google-runtime-int): OpenSSL's
    if (PEM_read_bio(bio.get(), &name, &header, &der, &length) != 1) break;
    const Allocated frees_name(name), frees_header(header), frees_der(der);
    const unsigned char* at = der;
    openssl::Key key;
    if (absl::string_view(name) == PEM_STRING_PUBLIC) {
      key.reset(d2i_PUBKEY(nullptr, &at, length));
    }
    all_fit = key != nullptr && EVP_PKEY_id(key.get()) == EVP_PKEY_ED25519;
    if (all_fit) read.keys_.emplace_back(std::move(key));
  }
  // Where they end, OpenSSL says that it found no further one.
  all_fit =
      all_fit && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!all_fit || read.keys_.empty() || read.keys_.size() > kMax) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " has to hold 1 to ", kMax,
                     " Ed25519 public keys and nothing else in PEM; `openssl "
                     "pkey -pubout` writes that of a private one"));
  }
  return read;
}

bool TrustedKeys::HaveSigned(absl::string_view bytes,
                             absl::string_view signature) const {
  for (const auto& key : keys_) {
    if (Verify(key.get(), bytes, signature)) return true;
  }
  return false;
}

}  // namespace segue
