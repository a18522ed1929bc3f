// Certificates of a test's own.
#ifndef SEGUE_TESTS_SERVER_CERTIFICATES_H_
#define SEGUE_TESTS_SERVER_CERTIFICATES_H_

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <chrono>
#include <memory>
#include <string>

namespace segue::testing {

// PEM.
struct CertificateAndKey {
  std::string certificate, key;
};
// The key, as nobody reads it without this passphrase.
std::string Encrypted(const std::string& key, const std::string& passphrase);

// Signs certificates for 127.0.0.1; its own signature is on its certificate.
class Authority {
 public:
  explicit Authority(const std::string& name);

  // Valid from so long after now until so long after now.
  CertificateAndKey Issue(
      const std::string& name,
      std::chrono::seconds begin = std::chrono::hours(-1),
      std::chrono::seconds end = std::chrono::hours(1)) const;
  // For an RSA key of 1,024 bits.
  CertificateAndKey IssueWeak(const std::string& name) const;
  // PEM.
  const std::string& certificate() const { return pem_; }

 private:
  struct Free {
    void operator()(X509* it) const { X509_free(it); }
    void operator()(EVP_PKEY* it) const { EVP_PKEY_free(it); }
  };
  using Certificate = std::unique_ptr<X509, Free>;
  using Key = std::unique_ptr<EVP_PKEY, Free>;

  // Signed by this one, or, while there is none, by itself.
  Certificate Sign(const std::string& name, EVP_PKEY* key,
                   std::chrono::seconds begin, std::chrono::seconds end) const;

  Key key_;
  Certificate own_;
  std::string pem_;
};

}  // namespace segue::testing

#endif  // SEGUE_TESTS_SERVER_CERTIFICATES_H_
