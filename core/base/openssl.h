// What OpenSSL allocates, freed by who owns it; and PEM as it is read from
// files that people write. For the files that speak to OpenSSL alone.
#ifndef SEGUE_CORE_BASE_OPENSSL_H_
#define SEGUE_CORE_BASE_OPENSSL_H_

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>
#include <string>

namespace segue::openssl {

template <auto free>
struct Freed {
  template <typename T>
  void operator()(T* it) const {
    free(it);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

// Reads from `pem`, which outlives it.
inline Bio OpenPem(const std::string& pem) {
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

// The first private key. Null: there is none, a damaged one, or one that needs
// a passphrase, which nobody is asked for.
inline Key ParsePrivateKey(const std::string& pem) {
  return Key(PEM_read_bio_PrivateKey(
      OpenPem(pem).get(), nullptr, [](char*, int, int, void*) { return 0; },
      nullptr));
}

// Whether what was read last, and failed, failed because no further block is
// there, and not because one is damaged.
inline bool PemHasEnded() {
  const unsigned long error = ERR_peek_last_error();  // NOLINT: OpenSSL's
  return ERR_GET_LIB(error) == ERR_LIB_PEM &&
         ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

}  // namespace segue::openssl

#endif  // SEGUE_CORE_BASE_OPENSSL_H_
