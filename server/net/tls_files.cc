#include "server/net/tls_files.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <ctime>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/base/file.h"
#include "core/base/openssl.h"
#include "core/base/status_macros.h"

namespace segue {
namespace {

constexpr char kNoCertificates[] = "has no PEM certificate, or a damaged one";

using Certificate = std::unique_ptr<X509, openssl::Freed<X509_free>>;
using Context = std::unique_ptr<SSL_CTX, openssl::Freed<SSL_CTX_free>>;

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
  auto bytes = ReadPemFile(file.path);
  if (bytes.ok()) return bytes;
  return absl::InvalidArgumentError(
      absl::StrCat(file.field, ": ", bytes.status().message()));
}

// All of the file, in its order; nothing if it has none or a damaged one.
std::vector<Certificate> ParseCertificates(const std::string& pem) {
  const openssl::Bio bio = openssl::OpenPem(pem);
  std::vector<Certificate> all;
  while (Certificate one{
      PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    all.push_back(std::move(one));
  }
  if (!openssl::PemHasEnded()) all.clear();
  ERR_clear_error();
  return all;
}

}  // namespace

absl::StatusOr<TlsFiles> ReadTlsFiles(const v1::TlsConfig& config) {
  const Named certificates{"certificate_file", config.certificate_file()};
  const Named key_file{"key_file", config.key_file()};
  const Named authorities{"client_ca_file", config.client_ca_file()};
  TlsFiles files;
  ASSIGN_OR_RETURN(files.certificates, Read(certificates));
  ASSIGN_OR_RETURN(files.key, Read(key_file));
  const auto chain = ParseCertificates(files.certificates);
  if (chain.empty()) return Refused(certificates, kNoCertificates);
  X509* const own = chain.front().get();
  const openssl::Key key = openssl::ParsePrivateKey(files.key);
  if (key == nullptr) {
    return Refused(key_file, "has no PEM key without a passphrase");
  }
  if (X509_check_private_key(own, key.get()) != 1) {
    return Refused(key_file, absl::StrCat("is not the key of the first "
                                          "certificate of ",
                                          certificates.path));
  }
  if (X509_cmp_current_time(X509_get0_notBefore(own)) >= 0) {
    return Refused(certificates, "is not valid yet");
  }
  if (X509_cmp_current_time(X509_get0_notAfter(own)) <= 0) {
    return Refused(certificates, "has expired");
  }
  // What OpenSSL would not use: a key that is too short, an old signature.
  const Context context(SSL_CTX_new(TLS_server_method()));
  if (SSL_CTX_use_certificate(context.get(), own) != 1 ||
      SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1) {
    return Refused(certificates, ERR_reason_error_string(ERR_peek_error()));
  }
  for (size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context.get(), chain[i].get()) != 1) {
      return Refused(certificates, ERR_reason_error_string(ERR_peek_error()));
    }
  }
  std::tm expires{};
  ASN1_TIME_to_tm(X509_get0_notAfter(own), &expires);
  files.expires =
      std::chrono::sys_seconds(std::chrono::seconds(::timegm(&expires)));
  if (authorities.path.empty()) return files;
  ASSIGN_OR_RETURN(files.client_authorities, Read(authorities));
  if (ParseCertificates(files.client_authorities).empty()) {
    return Refused(authorities, kNoCertificates);
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
                    ".", file.st_mtim.tv_sec, ".", file.st_mtim.tv_nsec, ".",
                    file.st_ctim.tv_sec, ".", file.st_ctim.tv_nsec, ";");
  }
  return stamp;
}

}  // namespace segue
