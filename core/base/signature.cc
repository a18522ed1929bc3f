#include "core/base/signature.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/openssl.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"

namespace segue {
namespace {

using Digest = std::unique_ptr<EVP_MD_CTX, openssl::Freed<EVP_MD_CTX_free>>;

// OPENSSL_free is a macro.
struct FreeBytes {
  void operator()(void* it) const { OPENSSL_free(it); }
};
using Allocated = std::unique_ptr<void, FreeBytes>;

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

std::string Fingerprint(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int length = i2d_PUBKEY(key, &der);
  const Allocated frees_der(der);
  if (length <= 0) return "";
  return Sha256::OfString(
      {reinterpret_cast<const char*>(der), static_cast<size_t>(length)});
}

// The next block's key; null if that is none of Ed25519. False: there is no
// further block.
bool NextPublicKey(BIO* pem, openssl::Key& key) {
  char *name = nullptr, *header = nullptr;
  unsigned char* der = nullptr;
  long length = 0;  // NOLINT(google-runtime-int): OpenSSL's
  if (PEM_read_bio(pem, &name, &header, &der, &length) != 1) return false;
  const Allocated frees_name(name), frees_header(header), frees_der(der);
  key.reset();
  if (absl::string_view(name) == PEM_STRING_PUBLIC) {
    const unsigned char* at = der;
    key.reset(d2i_PUBKEY(nullptr, &at, length));
  }
  if (key != nullptr && EVP_PKEY_id(key.get()) != EVP_PKEY_ED25519) key.reset();
  return true;
}

}  // namespace

absl::StatusOr<TrustedKeys> TrustedKeys::Read(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string pem, ReadPemFile(path));
  const openssl::Bio bio = openssl::OpenPem(pem);
  TrustedKeys read;
  read.path_ = path;
  bool all_fit = true;
  openssl::Key key;
  while (all_fit && NextPublicKey(bio.get(), key)) {
    all_fit = key != nullptr && read.size() < kMax;
    read.keys_.emplace_back(std::move(key));
  }
  all_fit = all_fit && openssl::PemHasEnded();
  ERR_clear_error();
  if (!all_fit || read.keys_.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " has to hold 1 to ", kMax,
                     " Ed25519 public keys and nothing else in PEM; `openssl "
                     "pkey -pubout` writes that of a private one"));
  }
  return read;
}

std::optional<std::string> TrustedKeys::WhoSigned(
    absl::string_view bytes, absl::string_view signature) const {
  for (const auto& key : keys_) {
    if (Verify(key.get(), bytes, signature)) return Fingerprint(key.get());
  }
  return std::nullopt;
}

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
  read.public_.path_ = path;
  read.public_.keys_.emplace_back(std::move(key));
  return read;
}

absl::StatusOr<std::string> SigningKey::Sign(absl::string_view bytes) const {
  const Digest digest(EVP_MD_CTX_new());
  std::string signature(kSignatureBytes, '\0');
  size_t length = signature.size();
  if (EVP_DigestSignInit(digest.get(), nullptr, nullptr, nullptr,
                         public_.keys_.front().get()) != 1 ||
      EVP_DigestSign(digest.get(),
                     reinterpret_cast<unsigned char*>(signature.data()),
                     &length, Bytes(bytes), bytes.size()) != 1) {
    const char* why = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return absl::InternalError(
        absl::StrCat("cannot sign with ", public_.path(), ": ",
                     why == nullptr ? "OpenSSL does not say why" : why));
  }
  return signature;
}

}  // namespace segue
