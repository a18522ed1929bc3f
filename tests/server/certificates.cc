#include "tests/server/certificates.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <cstdint>

#include "gtest/gtest.h"

namespace segue::testing {
namespace {

// What `write` writes.
template <typename Write>
std::string Pem(Write write) {
  BIO* const bio = BIO_new(BIO_s_mem());
  EXPECT_EQ(write(bio), 1);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);  // NOLINT: OpenSSL's type
  std::string pem(bytes, static_cast<size_t>(size));
  BIO_free(bio);
  return pem;
}

std::string PemOf(X509* certificate) {
  return Pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

std::string PemOf(EVP_PKEY* key) {
  return Pem([&](BIO* bio) {
    return PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr,
                                    nullptr);
  });
}

void AddExtension(X509* to, int id, const char* value) {
  X509_EXTENSION* const extension =
      X509V3_EXT_conf_nid(nullptr, nullptr, id, value);
  EXPECT_EQ(X509_add_ext(to, extension, -1), 1);
  X509_EXTENSION_free(extension);
}

}  // namespace

std::string Encrypted(const std::string& key, const std::string& passphrase) {
  BIO* const plain = BIO_new_mem_buf(key.data(), static_cast<int>(key.size()));
  EVP_PKEY* const parsed =
      PEM_read_bio_PrivateKey(plain, nullptr, nullptr, nullptr);
  std::string pem = Pem([&](BIO* bio) {
    return PEM_write_bio_PrivateKey(
        bio, parsed, EVP_aes_128_cbc(),
        reinterpret_cast<const unsigned char*>(passphrase.data()),
        static_cast<int>(passphrase.size()), nullptr, nullptr);
  });
  EVP_PKEY_free(parsed);
  BIO_free(plain);
  return pem;
}

Authority::Authority(const std::string& name) : key_(EVP_EC_gen("P-256")) {
  Certificate own = Sign(name, key_.get(), std::chrono::hours(-2),
                         std::chrono::hours(24 * 365));
  own_ = std::move(own);
  pem_ = PemOf(own_.get());
}

CertificateAndKey Authority::Issue(const std::string& name,
                                   std::chrono::seconds begin,
                                   std::chrono::seconds end) const {
  const Key key(EVP_EC_gen("P-256"));
  return {PemOf(Sign(name, key.get(), begin, end).get()), PemOf(key.get())};
}

CertificateAndKey Authority::IssueWeak(const std::string& name) const {
  const Key key(EVP_RSA_gen(1024));
  const Certificate certificate =
      Sign(name, key.get(), std::chrono::hours(-1), std::chrono::hours(1));
  return {PemOf(certificate.get()), PemOf(key.get())};
}

Authority::Certificate Authority::Sign(const std::string& name, EVP_PKEY* key,
                                       std::chrono::seconds begin,
                                       std::chrono::seconds end) const {
  Certificate certificate(X509_new());
  X509* const it = certificate.get();
  X509_set_version(it, X509_VERSION_3);
  int64_t serial = 0;  // of one authority no two may be alike
  EXPECT_EQ(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), 7), 1);
  ASN1_INTEGER_set_int64(X509_get_serialNumber(it), serial);
  X509_gmtime_adj(X509_getm_notBefore(it), begin.count());
  X509_gmtime_adj(X509_getm_notAfter(it), end.count());
  X509_NAME_add_entry_by_txt(
      X509_get_subject_name(it), "CN", MBSTRING_UTF8,
      reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(
      it, X509_get_subject_name(own_ == nullptr ? it : own_.get()));
  X509_set_pubkey(it, key);
  if (own_ == nullptr) {
    AddExtension(it, NID_basic_constraints, "critical,CA:TRUE");
  } else {
    AddExtension(it, NID_subject_alt_name, "IP:127.0.0.1");
  }
  EXPECT_GT(X509_sign(it, key_.get(), EVP_sha256()), 0);
  return certificate;
}

}  // namespace segue::testing
