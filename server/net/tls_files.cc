#include "server/net/tls_files.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <cstdint>
#include <ctime>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"

namespace segue {
namespace {

constexpr uint64_t kMaxPemBytes = uint64_t{1} << 20;

template <auto free>
struct Freed {
  template <typename T>
  void operator()(T* it) const {
    free(it);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

// One of the files, as the configuration calls it.
struct Named {
  const char* field;
  const std::string& path;
};

absl::Status Refused(const Named& file, absl::string_view why) {
  // What OpenSSL noted on the way is not to be taken for a later call's.
  ERR_clear_error();
  return absl::InvalidArgumentError(
      absl::StrCat(file.field, " ", file.path, ": ", why));
}

absl::StatusOr<std::string> Read(const Named& file) {
  auto bytes = ReadFile(file.path, kMaxPemBytes);
  if (bytes.ok()) return bytes;
  return absl::InvalidArgumentError(
      absl::StrCat(file.field, ": ", bytes.status().message()));
}

Bio Open(const std::string& pem) {
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

// The first of the file; null: it has none.
Certificate ParseCertificate(const std::string& pem) {
  return Certificate(
      PEM_read_bio_X509(Open(pem).get(), nullptr, nullptr, nullptr));
}

// Null: it has none, or one that needs a passphrase, which nobody is asked for.
Key ParseKey(const std::string& pem) {
  return Key(PEM_read_bio_PrivateKey(
      Open(pem).get(), nullptr, [](char*, int, int, void*) { return 0; },
      nullptr));
}

}  // namespace

absl::StatusOr<TlsFiles> ReadTlsFiles(const v1::TlsConfig& config) {
  const Named certificates{"certificate_file", config.certificate_file()};
  const Named key_file{"key_file", config.key_file()};
  const Named authorities{"client_ca_file", config.client_ca_file()};
  TlsFiles files;
  ASSIGN_OR_RETURN(files.certificates, Read(certificates));
  ASSIGN_OR_RETURN(files.key, Read(key_file));
  const Certificate own = ParseCertificate(files.certificates);
  if (own == nullptr) return Refused(certificates, "has no PEM certificate");
  const Key key = ParseKey(files.key);
  if (key == nullptr) {
    return Refused(key_file, "has no PEM key without a passphrase");
  }
  if (X509_check_private_key(own.get(), key.get()) != 1) {
    return Refused(key_file, absl::StrCat("is not the key of the first "
                                          "certificate of ",
                                          certificates.path));
  }
  if (X509_cmp_current_time(X509_get0_notBefore(own.get())) >= 0) {
    return Refused(certificates, "is not valid yet");
  }
  if (X509_cmp_current_time(X509_get0_notAfter(own.get())) <= 0) {
    return Refused(certificates, "has expired");
  }
  std::tm expires{};
  ASN1_TIME_to_tm(X509_get0_notAfter(own.get()), &expires);
  files.expires =
      std::chrono::sys_seconds(std::chrono::seconds(::timegm(&expires)));
  if (authorities.path.empty()) return files;
  ASSIGN_OR_RETURN(files.client_authorities, Read(authorities));
  if (ParseCertificate(files.client_authorities) == nullptr) {
    return Refused(authorities, "has no PEM certificate");
  }
  return files;
}

std::string StampOfTlsFiles(const v1::TlsConfig& config) {
  std::string stamp;
  for (const std::string* path :
       {&config.certificate_file(), &config.key_file(),
        &config.client_ca_file()}) {
    struct stat file {};
    if (path->empty() || ::stat(path->c_str(), &file) != 0) {
      stamp += "none;";
      continue;
    }
    absl::StrAppend(&stamp, file.st_dev, ".", file.st_ino, ".", file.st_size,
                    ".", file.st_mtim.tv_sec, ".", file.st_mtim.tv_nsec, ";");
  }
  return stamp;
}

}  // namespace segue
